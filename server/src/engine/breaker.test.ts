import { AuthError } from "@countersign/shared";
import { describe, expect, it } from "vitest";
import { type Breaker, createBreaker } from "./breaker.ts";

const unavailable = () => Promise.reject(new AuthError("UNAVAILABLE", { retryAfter: 1 }));

async function expectManyMayAsk(breaker: Breaker): Promise<void> {
  const slow = Promise.withResolvers<string>();
  const first = breaker(() => slow.promise);
  expect(await breaker(async () => "meanwhile")).toBe("meanwhile");
  slow.resolve("slow");
  expect(await first).toBe("slow");
}

describe("while the database is away", () => {
  it("one caller finds out whether it is back, and the others are refused without a question", async () => {
    const breaker = createBreaker();
    await expect(breaker(unavailable)).rejects.toMatchObject({ reason: "UNAVAILABLE" });
    const answer = Promise.withResolvers<string>();
    const asked = breaker(() => answer.promise);
    const refused = breaker(() => expect.fail("it was asked"));
    await expect(refused).rejects.toMatchObject({ data: { reason: "UNAVAILABLE", details: { retryAfter: 1 } } });
    answer.resolve("back");
    expect(await asked).toBe("back");
    await expectManyMayAsk(breaker);
  });

  it("the next one finds out when that one failed", async () => {
    const breaker = createBreaker();
    for (let time = 0; time < 3; time += 1) {
      await expect(breaker(unavailable)).rejects.toMatchObject({ reason: "UNAVAILABLE" });
    }
    expect(await breaker(async () => "back")).toBe("back");
  });
});

it.each([
  ["another refusal", new AuthError("TOKEN_INVALID")],
  ["what is no refusal", Object.assign(new Error("broken"), { reason: "UNAVAILABLE" })],
])("%s says nothing of the database", async (_, error) => {
  const breaker = createBreaker();
  await expect(breaker(() => Promise.reject(error))).rejects.toBe(error);
  await expectManyMayAsk(breaker);
});
