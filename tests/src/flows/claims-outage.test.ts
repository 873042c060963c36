import { describe, expect, it } from "vitest";
import { refresh, signIn, signUp } from "../support/people.ts";
import { testApp } from "../support/test-app.ts";

/** An application whose `claims` can be down. */
function claimsThatFail() {
  const outage = { isOn: false };
  const claims = () => {
    if (outage.isOn) throw new Error("the profile service is down");
    return {};
  };
  return { outage, claims };
}

describe("while the application's claims fail", () => {
  it("a refresh leaves the refresh token as good as it was: once its owner was then taken for a thief", async () => {
    const { outage, claims } = claimsThatFail();
    await using app = await testApp({ claims });
    const session = await signUp(app);
    outage.isOn = true;
    await expect(refresh(app, session)).rejects.toMatchObject({ code: "INTERNAL_SERVER_ERROR" });
    await app.clock.advance({ minutes: 5 });
    outage.isOn = false;
    await refresh(app, await refresh(app, session));
  });

  it("a sign-in that fails leaves no session", async () => {
    const { outage, claims } = claimsThatFail();
    await using app = await testApp({ claims });
    await signUp(app);
    const { db } = await app.auth.start();
    const sessions = () => db.selectFrom("sessions").selectAll().execute();
    expect(await sessions()).toHaveLength(1);
    outage.isOn = true;
    await expect(signIn(app)).rejects.toMatchObject({ code: "INTERNAL_SERVER_ERROR" });
    expect(await sessions()).toHaveLength(1);
  });
});
