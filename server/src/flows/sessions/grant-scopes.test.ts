import fc from "fast-check";
import { expect, it } from "vitest";
import { resolveOptions } from "../../options.ts";
import { sqlite } from "../../store/sqlite.ts";
import { grantScopes } from "./grant-scopes.ts";

const { settings } = resolveOptions({
  database: sqlite(":memory:"),
  secret: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
  issuer: "http://localhost:3000",
  scopes: { read: "", write: "", moderate: "", audit: "" },
  roles: { moderator: { scopes: ["moderate"] }, auditor: { scopes: ["audit", "moderate"] } },
});
const byRole: Record<string, string[]> = { moderator: ["moderate"], auditor: ["audit", "moderate"] };

it("grants what everyone has and what roles grant, narrowed to what was asked for", () => {
  const roles = fc.subarray(["moderator", "auditor", "admin", "gone", "constructor"]);
  const requested = fc.subarray(["read", "write", "moderate", "audit"]);
  fc.assert(
    fc.property(roles, requested, (roles, requested) => {
      const allowed = new Set([
        "read",
        "write",
        ...roles.flatMap((role) => (Object.hasOwn(byRole, role) ? (byRole[role] ?? []) : [])),
      ]);
      const wanted = requested.length === 0 ? allowed : new Set(requested);
      expect(grantScopes(settings, roles, requested.join(" ")).sort()).toEqual(
        [...allowed].filter((scope) => wanted.has(scope)).sort(),
      );
    }),
  );
});
