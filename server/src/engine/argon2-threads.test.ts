import { readdirSync, readFileSync } from "node:fs";
import { verify } from "@node-rs/argon2";
import { describe, expect, it } from "vitest";
import { createArgon2Threads } from "./argon2-threads.ts";

const cheap = { memoryCost: 8, timeCost: 1, parallelism: 1 };

/** How nice each thread of this process is to the others: field 19 of proc(5)'s stat, after a name that may hold spaces. */
function niceness(): number[] {
  return readdirSync("/proc/self/task").map((id) => {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")")).split(" ")[17]);
  });
}

describe("threads for Argon2", () => {
  it("make the hash that the library makes, of the salt that they are given", async () => {
    const threads = createArgon2Threads();
    const salt = new Uint8Array(16).fill(7);
    const stored = await threads.hash("a password", { ...cheap, salt });
    expect(stored).toContain(`$${Buffer.from(salt).toString("base64").replaceAll("=", "")}$`);
    expect(await verify(stored, "a password")).toBe(true);
    expect([await threads.verify(stored, "a password"), await threads.verify(stored, "another")]).toEqual([
      true,
      false,
    ]);
  });

  it("each do one at a time, and give every answer to who asked", async () => {
    const threads = createArgon2Threads();
    const stored = await threads.hash("3", cheap);
    const answers = await Promise.all(["1", "2", "3", "4"].map((password) => threads.verify(stored, password)));
    expect(answers).toEqual([false, false, true, false]);
  });

  it("go on after what the library refuses", async () => {
    const threads = createArgon2Threads();
    await expect(threads.verify("$argon2id$junk", "a password")).rejects.toThrow();
    const stored = await threads.hash("a password", cheap);
    expect(await threads.verify(stored, "a password")).toBe(true);
  });

  it.runIf(process.platform === "linux")("give way to the thread that answers", async () => {
    const before = niceness();
    await createArgon2Threads().hash("a password", cheap);
    const after = niceness();
    expect(after.filter((each) => each === 10)).toHaveLength(before.filter((each) => each === 10).length + 1);
    expect(after[0]).toBe(before[0]);
  });
});
