import type { SessionId } from "@countersign/shared/schemas";
import type { Command } from "commander";
import { UsageError } from "./errors.ts";
import { addHelp } from "./help.ts";
import { printJson, printTable } from "./output.ts";
import { type AuthOption, authOption, commandLine, withAuth } from "./with-auth.ts";

export function addSessionsCommands(program: Command): void {
  const group = program.command("sessions").description("See who is signed in, and end it.");
  const list = group
    .command("list")
    .description("List the live sessions of an account, the latest used first.")
    .argument("<account>", "username, e-mail address or id")
    .option(...authOption)
    .option("--json", "print JSON")
    .action(listOf);
  const revoke = group
    .command("revoke")
    .description("End one session, or all of an account. What was issued from it is refused within a second.")
    .argument("[session]", "a session's id")
    .option("--account <account>", "end all sessions of this account")
    .option(...authOption)
    .option("--json", "print JSON")
    .action(revokeSessions);
  addHelp(group, ["countersign sessions list ada", "countersign sessions revoke --account ada"]);
  addHelp(list, ["countersign sessions list ada", "countersign sessions list ada --json"]);
  addHelp(revoke, [
    "countersign sessions revoke 0199d8a2-7f3e-7c1a-9b52-1f0e3a4c5d6e",
    "countersign sessions revoke --account ada",
  ]);
}

async function listOf(name: string, { json, ...where }: AuthOption & { json?: boolean }): Promise<void> {
  const [{ findAccount }, { listSessions }] = await Promise.all([
    import("./find-account.ts"),
    import("../flows/sessions/list-sessions.ts"),
  ]);
  const sessions = await withAuth(async (deps) => {
    const { id } = await findAccount(deps, name);
    return listSessions(deps, { accountId: id, current: null });
  }, where);
  // Whether a session is the current one makes no sense here.
  if (json) return printJson(sessions.map(({ current: _, ...session }) => session));
  const rows = sessions.map((row) => [
    row.id,
    row.createdAt,
    row.lastUsedAt,
    row.expiresAt,
    row.address,
    row.userAgent,
  ]);
  printTable(["SESSION", "SIGNED IN", "LAST USED", "EXPIRES", "ADDRESS", "USER AGENT"], rows, {
    none: "This account has no live session.",
  });
}

async function revokeSessions(
  session: string | undefined,
  { account, json, ...where }: AuthOption & { account?: string; json?: boolean },
): Promise<void> {
  if ((session === undefined) === (account === undefined)) {
    throw new UsageError("Name one session by its id, or an account with --account.");
  }
  const [{ findAccount }, { revoke }] = await Promise.all([
    import("./find-account.ts"),
    import("../flows/sessions/revoke.ts"),
  ]);
  const why = { ...commandLine, reason: "revoked_by_administrator" };
  let revoked: number;
  if (account === undefined) {
    const id = await readSessionId(session);
    revoked = await withAuth((deps) => revoke(deps, { id }, why), where);
  } else {
    revoked = await withAuth(
      async (deps) => revoke(deps, { accountId: (await findAccount(deps, account)).id }, why),
      where,
    );
  }
  if (json) return printJson({ revoked });
  if (revoked === 0) console.log("No session was ended: none is live.");
  else console.log(`Ended ${revoked} ${revoked === 1 ? "session" : "sessions"}.`);
}

async function readSessionId(text: string | undefined): Promise<SessionId> {
  const { SessionId } = await import("@countersign/shared/schemas");
  const { success, data } = SessionId.safeParse(text);
  if (success) return data;
  throw new UsageError(
    "A session is named by its id, as in 0199d8a2-7f3e-7c1a-9b52-1f0e3a4c5d6e. To see an account's: countersign sessions list <account>",
  );
}
