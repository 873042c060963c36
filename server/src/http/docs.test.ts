import { expect, test } from "vitest";
import { createTestAuth } from "../testing.ts";
import { createApp } from "./app.ts";

test("the page asks for nothing but its own files, each of which may be kept for good", async () => {
  await using subject = await createTestAuth();
  const app = createApp(subject.auth);
  const page = await app.request("/docs");
  const policy = page.headers.get("content-security-policy");
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|http|\*/);

  const addresses = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address ?? "");
  expect(addresses.length).toBeGreaterThanOrEqual(6);
  for (const address of addresses) {
    const reply = await app.request(address);
    expect([address, reply.status]).toEqual([expect.stringMatching(/^\/[^/]/), 200]);
    if (address !== "/openapi.json") expect(reply.headers.get("cache-control")).toMatch(/immutable/);
  }
});

test.for(["/docs/0000000000000000/init.js", "/docs/0000000000000000/package.json", "/docs/..%2f..%2fpackage.json/x"])(
  "%s is not found",
  async (path) => {
    await using subject = await createTestAuth();
    expect((await createApp(subject.auth).request(path)).status).toBe(404);
  },
);
