import { expect, it } from "vitest";
import { addressBlock } from "./address-block.ts";

it("is one for the addresses that one person holds, and another for everybody else's", () => {
  expect(addressBlock("192.0.2.1")).not.toBe(addressBlock("192.0.2.2"));
  expect(addressBlock("::ffff:192.0.2.1")).toBe(addressBlock("192.0.2.1"));
  expect(addressBlock("2001:db8:0:1::1")).toBe(addressBlock("2001:db8:0:1:ffff:ffff:ffff:ffff"));
  expect(addressBlock("2001:db8:0:1::1")).not.toBe(addressBlock("2001:db8:0:2::1"));
});

it("is one for all that is no address, as an application may pass it", () => {
  expect(addressBlock("a unix socket")).toBe(addressBlock(""));
});
