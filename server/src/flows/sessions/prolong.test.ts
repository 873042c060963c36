import { expect, it } from "vitest";
import { endOfIdleness } from "./prolong.ts";

const hour = 3_600_000;
const day = 24 * hour;
const endWith = ({ refreshTtlSeconds, now, expiresAt, endsAt = 365 * day }: Given) =>
  endOfIdleness({ settings: { refreshTtlSeconds } }, { expires_at: expiresAt, ends_at: endsAt }, now);

interface Given {
  readonly refreshTtlSeconds: number;
  readonly now: number;
  readonly expiresAt: number;
  readonly endsAt?: number;
}

it("moves once an hour", () => {
  const thirtyDays = { refreshTtlSeconds: (30 * day) / 1_000, expiresAt: 30 * day };
  expect(endWith({ ...thirtyDays, now: hour - 1 })).toBe(30 * day);
  expect(endWith({ ...thirtyDays, now: hour })).toBe(30 * day + hour);
});

it("moves after a tenth of a life that is short", () => {
  const tenMinutes = { refreshTtlSeconds: 600, expiresAt: 600_000 };
  expect(endWith({ ...tenMinutes, now: 59_999 })).toBe(600_000);
  expect(endWith({ ...tenMinutes, now: 60_000 })).toBe(660_000);
});

it("moves back when the life of sessions was made shorter", () => {
  expect(endWith({ refreshTtlSeconds: day / 1_000, expiresAt: 30 * day, now: hour })).toBe(day + hour);
});

it("moves to the end of it all, however near that is", () => {
  const given = { refreshTtlSeconds: (9.5 * hour) / 1_000, expiresAt: 9.5 * hour, endsAt: 10 * hour };
  expect(endWith({ ...given, now: 9 * hour })).toBe(10 * hour);
});
