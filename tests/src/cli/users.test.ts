import { afterAll, beforeAll, expect, test } from "vitest";
import { password, workplace } from "../support/workplace.ts";

const place = workplace();
afterAll(() => place[Symbol.asyncDispose]());

const id = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/;
const isoDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const stdin = "--password-stdin";
interface Account {
  readonly id: string;
  readonly username: string;
}
const ada = {
  id: expect.stringMatching(id),
  username: "ada",
  email: "ada@example.com",
  roles: ["admin"],
  disabled: false,
  createdAt: expect.stringMatching(isoDate),
  deletedAfter: null,
};

beforeAll(async () => {
  const args = ["users", "create", "ada", "--role", "admin", "--email", "ada@example.com", stdin];
  expect(await place.json(args, { input: `${password}\n` })).toEqual(ada);
});

const lastAudit = () =>
  place.query(
    "select kind, account_id, actor_id, address, user_agent, details from audit_events order by id desc limit 1",
  )[0];

test("create writes an audit row without an actor", async () => {
  const created = await place.json(["users", "create", "audited", stdin], { input: password });
  expect(created).toMatchObject({ username: "audited" });
  expect(lastAudit()).toMatchObject({
    kind: "account_created",
    account_id: expect.stringMatching(id),
    actor_id: null,
    address: null,
    user_agent: "countersign cli",
  });
});

test("create prints the account for people too", async () => {
  const { code, stdout } = await place.run(["users", "create", "Grace", stdin], { input: password });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^username {2}Grace\nemail {5}-\nroles {5}-\ndisabled {2}no\ncreated {3}\S+\nid {8}\S+\n$/);
});

test.for([
  { args: ["Ada"], says: "This username is taken. Choose another.\n" },
  {
    args: ["eve", "--email", "ADA@example.com"],
    says: "An account with this e-mail address exists. Sign in instead.\n",
  },
  {
    args: ["eve", "--role", "emperor"],
    says: "This command knows only the role admin. To use the roles of your application, name its auth: --auth ./src/auth.ts#auth\n",
  },
  {
    args: ["e", "--email", "nowhere"],
    says: '"username" must have at least 2 characters\n"email" must be an e-mail address\n',
  },
  { args: ["eve"], input: "short", says: '"password" must have at least 8 characters\n' },
  { args: ["eve"], input: "", says: '"password" must not be empty\n' },
])("create refuses $args, says why, and exits 1", async ({ args, input = password, says }) => {
  const { code, stdout, stderr } = await place.run(["users", "create", ...args, stdin], { input });
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain(says.split("\n")[0]);
  expect(stderr).toBe(says);
});

test("a password comes from a terminal or from --password-stdin, and from nowhere else", async () => {
  const { code, stderr } = await place.run(["users", "create", "eve"], { input: password });
  expect(code).toBe(2);
  expect(stderr).toBe("There is no terminal to ask for the password. Pipe it in, with --password-stdin.\n");
  const typed = await place.run(["users", "create", "eve", stdin], { typed: [] });
  expect(typed.code).toBe(2);
  expect(typed.stderr).toMatch(/^--password-stdin takes the password from a pipe/);
  const long = await place.run(["users", "create", "eve", stdin], { input: "a".repeat(70_000) });
  expect(long.code).toBe(2);
  expect(long.stderr).toBe("Standard input is too long for a password.\n");
});

test("at a terminal the password is asked for twice, and never shown", async () => {
  const typed = [
    { after: "Password", line: password },
    { after: "Password again", line: "something else" },
    { after: "The passwords differ", line: `\u0015${password}` },
  ];
  const { code, stdout, stderr } = await place.run(["users", "create", "typed", "--json"], { typed });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ username: "typed" });
  expect(stderr).not.toContain(password.slice(0, 7));
  expect(stderr).not.toContain("something");
});

test("Ctrl-C at a prompt ends the command without a word", async () => {
  const typed = [{ after: "Password", line: "\u0003" }];
  const { code, stdout } = await place.run(["users", "create", "nobody"], { typed });
  expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
});

test("show finds an account by username, e-mail address and id", async () => {
  const byName = (await place.json(["users", "show", "ADA"])) as Account;
  expect(byName).toEqual(ada);
  expect(await place.json(["users", "show", "Ada@Example.com"])).toEqual(byName);
  expect(await place.json(["users", "show", byName.id])).toEqual(byName);
  const { code, stderr } = await place.run(["users", "show", "nobody"]);
  expect(code).toBe(1);
  expect(stderr).toBe("There is no account of this name.\n");
});

test("an id is taken before a username that looks like it", async () => {
  const { id } = (await place.json(["users", "show", "ada"])) as Account;
  await place.json(["users", "create", id, stdin], { input: password });
  expect(await place.json(["users", "show", id])).toMatchObject({ username: "ada" });
});

test("list pages through all, in the order of usernames", async () => {
  const all = (await place.json(["users", "list"])) as Account[];
  expect(all.map(({ username }) => username)).toEqual(expect.arrayContaining(["ada", "audited", "Grace"]));
  const { stdout, stderr } = await place.run(["users", "list", "--limit", "1", "--json"]);
  expect(JSON.parse(stdout)).toEqual(all.slice(0, 1));
  expect(stderr).toBe("There are more than 1. Raise --limit, or narrow with --search.\n");
  expect(await place.json(["users", "list", "--search", "ADA@"])).toEqual([ada]);
  const table = await place.run(["users", "list", "--search", "ada@"]);
  expect(table.stdout).toMatch(
    /^USERNAME {2}E-MAIL +ROLES {2}DISABLED {2}CREATED +ID\nada +ada@example\.com {2}admin {2}no /,
  );
  expect((await place.run(["users", "list", "--search", "zzz"])).stdout).toBe("No account begins like that.\n");
});

test("disable, enable, set-roles and set-password change the account, each with an audit row", async () => {
  await place.json(["users", "create", "bob", stdin], { input: password });
  const run = async (...args: string[]) => ({
    account: await place.json(["users", ...args], { input: "another long secret" }),
    audit: lastAudit(),
  });
  expect(await run("disable", "bob")).toMatchObject({
    account: { disabled: true },
    audit: { kind: "account_disabled" },
  });
  expect(await run("enable", "bob")).toMatchObject({
    account: { disabled: false },
    audit: { kind: "account_enabled" },
  });
  expect(await run("set-roles", "bob", "admin")).toMatchObject({
    account: { roles: ["admin"] },
    audit: { kind: "roles_changed", details: '{"roles":["admin"]}', actor_id: null, user_agent: "countersign cli" },
  });
  expect(await run("set-roles", "bob")).toMatchObject({ account: { roles: [] } });
  expect(await run("set-password", "bob", stdin)).toMatchObject({
    account: { username: "bob" },
    audit: { kind: "password_changed" },
  });
});

test("remove needs --yes, and then removes the account for good, with an audit row", async () => {
  const { id } = (await place.json(["users", "create", "carol", stdin], { input: password })) as Account;
  const asked = await place.run(["users", "remove", "carol"]);
  expect(asked).toEqual({
    code: 2,
    stdout: "",
    stderr: `This removes carol (${id}) for good. If that is meant, add --yes.\n`,
  });
  expect(await place.json(["users", "show", "carol"])).toMatchObject({ id });

  expect(await place.json(["users", "remove", "carol", "--yes"])).toMatchObject({ id, username: "carol" });
  expect(lastAudit()).toMatchObject({ kind: "account_removed", account_id: id, actor_id: null });
  expect((await place.run(["users", "show", "carol"])).stderr).toBe("There is no account of this name.\n");
});

test.for(["disable", "enable", "set-roles", "remove"])("users %s refuses an unknown account", async (verb) => {
  const { code, stderr } = await place.run(["users", verb, "nobody@example.com"]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: "There is no account of this name.\n" });
});
