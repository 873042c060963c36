import type { Account } from "@countersign/shared/schemas";
import { type Command, InvalidArgumentError } from "commander";
import type { Deps } from "../deps.ts";
import type { Administrator } from "../flows/accounts/administer.ts";
import { UsageError } from "./errors.ts";
import { addHelp } from "./help.ts";
import { printFields, printJson, printTable } from "./output.ts";
import { readNewPassword } from "./password.ts";
import { addImportCommand } from "./users-import.ts";
import { type AuthOption, authOption, commandLine, withAuth } from "./with-auth.ts";

interface Options extends AuthOption {
  readonly json?: boolean;
}

interface PasswordStdin extends Options {
  readonly passwordStdin?: boolean;
}

const account = ["<account>", "username, e-mail address or id"] as const;
const json = ["--json", "print JSON"] as const;
const passwordStdin = ["--password-stdin", "take the password from standard input"] as const;

export function addUsersCommands(program: Command): void {
  const group = program.command("users").description("Manage accounts.");

  const create = group
    .command("create")
    .description("Create an account. Asks for its password. Makes the database if it is missing.")
    .argument("<username>")
    .option("--email <address>", "e-mail address")
    .option("--role <role>", "a role; may be given again", collect, [])
    .option(...passwordStdin)
    .option(...authOption)
    .option(...json)
    .action(createUser);
  addHelp(create, [
    "countersign users create ada --role admin --email ada@example.com",
    "countersign users create ada --role moderator --auth ./src/auth.ts#auth",
    "countersign users create ada --password-stdin < password.txt",
  ]);

  addImportCommand(group);

  const list = group
    .command("list")
    .description("List accounts in the order of their usernames.")
    .option("--search <start>", "only usernames and e-mail addresses that begin with this")
    .option("--limit <number>", "at most this many", wholeNumber, 100)
    .option(...authOption)
    .option(...json)
    .action(listUsers);
  addHelp(list, ["countersign users list", "countersign users list --search ad --json"]);

  const show = group
    .command("show")
    .description("Show an account.")
    .argument(...account)
    .option(...authOption)
    .option(...json);
  show.action((name: string, options: Options) => onAccount(name, options, async (_, found) => found));
  addHelp(show, ["countersign users show ada", "countersign users show ada@example.com --json"]);

  const disable = group
    .command("disable")
    .description("Disable an account: ends its sessions and refuses new ones.")
    .argument(...account)
    .option(...authOption)
    .option(...json)
    .action((name: string, options: Options) => change(name, options, ({ disableAccount }) => disableAccount));
  addHelp(disable, ["countersign users disable ada"]);

  const enable = group
    .command("enable")
    .description("Let a disabled account sign in again.")
    .argument(...account)
    .option(...authOption)
    .option(...json)
    .action((name: string, options: Options) => change(name, options, ({ enableAccount }) => enableAccount));
  addHelp(enable, ["countersign users enable ada"]);

  const setPassword = group
    .command("set-password")
    .description("Set an account's password, and end its sessions. Asks for the password.")
    .argument(...account)
    .option(...passwordStdin)
    .option(...authOption)
    .option(...json)
    .action(setUserPassword);
  addHelp(setPassword, [
    "countersign users set-password ada",
    "countersign users set-password ada --password-stdin < password.txt",
  ]);

  const setRoles = group
    .command("set-roles")
    .description("Set an account's roles, in place of those that it has.")
    .argument(...account)
    .argument("[roles...]", "the roles; none takes all away")
    .option(...authOption)
    .option(...json)
    .action(setUserRoles);
  addHelp(group, ["countersign users create ada --role admin", "countersign users list", "countersign users show ada"]);
  addHelp(setRoles, [
    "countersign users set-roles ada admin",
    "countersign users set-roles ada moderator --auth ./src/auth.ts#auth",
    "countersign users set-roles ada",
  ]);

  const remove = group
    .command("remove")
    .description("Remove an account for good, and end its sessions. To keep it and shut it out: disable.")
    .argument(...account)
    .option("--yes", "it is meant: nothing brings the account back")
    .option(...authOption)
    .option(...json)
    .action(removeUser);
  addHelp(remove, ["countersign users remove ada --yes"]);
}

async function createUser(
  username: string,
  { email, role, ...options }: PasswordStdin & { email?: string; role: string[] },
): Promise<void> {
  const [{ CreateAccountInput }, { parseInput }] = await Promise.all([
    import("@countersign/shared/schemas"),
    import("./parse-input.ts"),
  ]);
  const password = await readNewPassword(options);
  const input = parseInput(CreateAccountInput, {
    username,
    password,
    roles: role,
    ...(email !== undefined && { email }),
  });
  const [{ addAccount }, { withKnownRoles }] = await Promise.all([
    import("../flows/accounts/administer.ts"),
    import("./known-roles.ts"),
  ]);
  const created = await withKnownRoles(options, () =>
    withAuth((deps) => addAccount(deps, input, commandLine), { ...options, create: true }),
  );
  print(created, options);
}

async function listUsers({
  search,
  limit,
  json,
  ...where
}: Options & { search?: string; limit: number }): Promise<void> {
  const { listAccounts } = await import("../flows/accounts/administer.ts");
  const { accounts, more } = await withAuth(async (deps) => {
    const accounts: Account[] = [];
    let cursor: string | null | undefined;
    while (cursor !== null && accounts.length < limit) {
      const page = await listAccounts(deps, {
        limit: Math.min(100, limit - accounts.length),
        ...(search !== undefined && { search }),
        ...(cursor !== undefined && { cursor }),
      });
      accounts.push(...page.accounts);
      cursor = page.nextCursor;
    }
    return { accounts, more: cursor !== null };
  }, where);
  if (json) printJson(accounts);
  else {
    const rows = accounts.map((row) => [row.username, row.email, row.roles, row.disabled, row.createdAt, row.id]);
    const none = search === undefined ? "There is no account yet." : "No account begins like that.";
    printTable(["USERNAME", "E-MAIL", "ROLES", "DISABLED", "CREATED", "ID"], rows, { none });
  }
  if (more) console.error(`There are more than ${limit}. Raise --limit, or narrow with --search.`);
}

async function setUserPassword(name: string, options: PasswordStdin): Promise<void> {
  const [{ SetPasswordInput }, { parseInput }, { setPassword }] = await Promise.all([
    import("@countersign/shared/schemas"),
    import("./parse-input.ts"),
    import("../flows/accounts/administer.ts"),
  ]);
  const password = await readNewPassword(options);
  await onAccount(name, options, (deps, { id }) =>
    setPassword(deps, parseInput(SetPasswordInput, { id, password }), commandLine),
  );
}

async function setUserRoles(name: string, roles: string[], options: Options): Promise<void> {
  const [{ setRoles }, { withKnownRoles }] = await Promise.all([
    import("../flows/accounts/administer.ts"),
    import("./known-roles.ts"),
  ]);
  await withKnownRoles(options, () =>
    onAccount(name, options, (deps, { id }) => setRoles(deps, { id, roles }, commandLine)),
  );
}

async function removeUser(name: string, { yes = false, ...options }: Options & { yes?: boolean }): Promise<void> {
  const { removeAccount } = await import("../flows/accounts/administer.ts");
  await onAccount(name, options, (deps, { id, username }) => {
    if (!yes) throw new UsageError(`This removes ${username} (${id}) for good. If that is meant, add --yes.`);
    return removeAccount(deps, { id }, commandLine);
  });
}

type Verb = (deps: Deps, ref: Pick<Account, "id">, by: Administrator) => Promise<Account>;

async function change(
  name: string,
  options: Options,
  choose: (verbs: typeof import("../flows/accounts/administer.ts")) => Verb,
): Promise<void> {
  const verb = choose(await import("../flows/accounts/administer.ts"));
  await onAccount(name, options, (deps, { id }) => verb(deps, { id }, commandLine));
}

/** Finds the account, works on it, and prints it as it is then. */
async function onAccount(
  name: string,
  options: Options,
  work: (deps: Deps, found: Account) => Promise<Account>,
): Promise<void> {
  const { findAccount } = await import("./find-account.ts");
  print(await withAuth(async (deps) => work(deps, await findAccount(deps, name)), options), options);
}

function print(account: Account, { json }: Options): void {
  const { username, email, roles, disabled, createdAt, id } = account;
  if (json) printJson(account);
  else printFields({ username, email, roles, disabled, created: createdAt, id });
}

function collect(role: string, roles: readonly string[]): string[] {
  return [...roles, role];
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError("It must be a whole number above 0.");
  return Number(text);
}
