import { expect, it } from "vitest";
import type { Caller, Deps } from "../../deps.ts";
import { createTestAuth } from "../../testing.ts";
import { login, register } from "../test-support.ts";
import { setPassword } from "./administer.ts";
import { changePassword } from "./change-password.ts";

const caller: Caller = { address: "203.0.113.7", userAgent: "test", requestId: null };
const alice = { username: "alice", password: "correct horse battery staple" };

// While a password is hashed, an administrator sets another: whoever knows only the old one must not have the last word.
it("a password that was set while the old one was compared is not overwritten", async () => {
  await using test = await createTestAuth();
  const deps = await test.auth.start();
  const { user, accessToken } = await register(deps, alice, caller);
  const principal = await deps.accessTokens.verify(accessToken);
  const rescued = "set by an administrator";
  const overtaken: Deps = {
    ...deps,
    hasher: {
      ...deps.hasher,
      async verify(password, stored) {
        const matches = await deps.hasher.verify(password, stored);
        await setPassword(deps, { id: user.id, password: rescued }, { actorId: null, caller });
        return matches;
      },
    },
  };
  const change = changePassword(
    overtaken,
    { currentPassword: alice.password, newPassword: "chosen by a thief" },
    { principal, caller },
  );
  await expect(change).rejects.toMatchObject({ reason: "INVALID_CREDENTIALS" });
  await login(deps, { ...alice, password: rescued }, caller);
});
