import { createAuthClient, isAuthError } from "@countersign/client";
import type { RootRouter } from "@countersign/server";

const auth = createAuthClient<RootRouter>({ url: "http://localhost:3000/trpc" });

const user = await auth.login({ username: "alice", password: "correct horse battery staple" });
console.log(`Signed in as ${user.username}.`);

const sessions = await auth.trpc.auth.sessions.list.query();
console.log(
  `Signed in on ${sessions.length} devices; this one since ${sessions[0]?.createdAt.toLocaleTimeString("en")}.`,
);

await auth.logout();
try {
  await auth.trpc.auth.me.query();
} catch (error) {
  if (!isAuthError(error)) throw error;
  console.log(`Signed out: ${error.data.reason}. ${error.message}`);
}
