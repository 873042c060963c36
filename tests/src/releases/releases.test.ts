/** What every release left in a database is upgraded by the program of the day, and people notice nothing. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import manifest from "../../../server/package.json" with { type: "json" };
import { fleet } from "../support/fleet.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { createDatabase } from "../support/test-database.ts";
import { call, whoami } from "../support/wire.ts";
import { kinds, Recording, recordingsFolder, restore } from "./recording.ts";

vi.setConfig({ testTimeout: 60_000 });

const releases = readdirSync(recordingsFolder)
  .filter((file) => file.endsWith(".sqlite.json"))
  .map((file) => file.replace(".sqlite.json", ""));

it("this release is recorded: if not, run npm run record", () => {
  for (const kind of kinds)
    expect(existsSync(new URL(`${manifest.version}.${kind}.json`, recordingsFolder))).toBe(true);
});

describe.each(releases)("what %s left", (release) => {
  it.each(kinds)("is upgraded on %s: everyone signs in, refreshes or is refused as before", async (kind) => {
    const file = new URL(`${release}.${kind}.json`, recordingsFolder);
    const recording = Recording.parse(JSON.parse(readFileSync(file, "utf8")));
    await using folder = await temporaryFolder();
    const place = kind === "sqlite" ? folder.file("auth.db") : await createDatabase({ isEmpty: true });
    await restore(kind, place, recording);
    // A minute after it was recorded: tokens and sessions of then are still good.
    const aheadMs = recording.recordedAt + 60_000 - Date.now();
    const databaseUrl = kind === "sqlite" ? `file:${place}` : place;
    await using servers = await fleet([{ aheadMs }], { databaseUrl });
    const url = servers.nodes[0]?.url ?? "";

    expect(recording.people.length).toBeGreaterThan(5);
    for (const { login, password, refusal } of recording.people) {
      const answer = await call(url, "auth.login", { input: { username: login, password } });
      expect([login, answer.reason]).toEqual([login, refusal]);
    }
    expect(recording.sessions.length).toBeGreaterThan(5);
    for (const { accessToken, refreshToken, cookie, refusal } of recording.sessions) {
      expect((await whoami(url, { accessToken, refreshToken })).reason).toBe(refusal);
      expect((await call(url, "auth.refresh", { input: { refreshToken } })).reason).toBe(refusal);
      if (cookie === null) continue;
      expect(await call(url, "auth.me", { headers: { cookie } })).toMatchObject({ status: 200 });
    }
    // And the tables are those of a new database.
    await servers.add({ aheadMs });
  });
});
