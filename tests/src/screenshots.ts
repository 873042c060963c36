/** Draws every page of the server (`npm run screenshots`), for the documentation and for whoever reviews a change of them. */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createApp, createAuth, serve } from "@countersign/server";
import { sqlite } from "@countersign/server/sqlite";
import { startBrowser } from "./support/browser.ts";

const folder = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));
mkdirSync(folder, { recursive: true });

const password = "correct horse battery staple";
await using auth = createAuth({
  database: sqlite(":memory:"),
  secret: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
  issuer: "http://localhost:3000",
  scopes: { "notes:write": "Write your notes" },
  roles: { editor: { scopes: ["notes:write"] } },
});
const app = createApp(auth);
const served = await serve(app, { port: 0, host: "127.0.0.1" });
const { setupCode } = await auth.start();
await using browser = await startBrowser();

const context = await browser.newContext({
  baseURL: served.url,
  locale: "en-GB",
  viewport: { width: 1280, height: 800 },
  deviceScaleFactor: 1,
});
const page = await context.newPage();

async function draw(name: string): Promise<void> {
  await page.waitForLoadState("networkidle");
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${folder}${name}-${colorScheme}.png`, fullPage: true });
  }
  console.log(`docs/screenshots/${name}`);
}

await page.goto("/setup");
await draw("set-up");
await page.goto("/sign-in");
await draw("sign-in");
await page.goto("/sign-up");
await draw("sign-up");

await page.goto("/setup");
await page.getByLabel("Code").fill(setupCode);
await page.getByLabel("Username").fill("grace");
await page.getByLabel("Password", { exact: true }).fill(password);
await page.getByRole("button", { name: "Make the account" }).click();
await page.waitForURL("**/account");
const root = auth.usersRouter.createCaller(await auth.createContext({ req: await signedInRequest() }));
for (const [username, roles] of [
  ["ada", ["editor"]],
  ["alan", []],
  ["edsger", ["editor"]],
] as const) {
  await root.create({ username, email: `${username}@example.com`, password, roles: [...roles] });
  await auth.router
    .createCaller(await auth.createContext({ req: new Request(served.url) }))
    .login({ username, password });
}
const [ada] = (await root.list({ search: "ada" })).accounts;

for (const [name, path] of [
  ["account", "/account"],
  ["profile", "/account/profile"],
  ["password", "/account/password"],
  ["security-log", "/account/security-log"],
  ["delete", "/account/delete"],
  ["confirm", "/reauth?for=profile"],
  ["accounts", "/admin/accounts"],
  ["new-account", "/admin/accounts/new"],
  ["one-account", `/admin/accounts/${ada?.id}`],
  ["events", "/admin/events"],
  ["keys", "/admin/keys"],
  ["health", "/admin/health"],
  ["developer", "/developer"],
] as const) {
  await page.goto(path);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await draw(name);
}
await served.close({ drainMs: 0 });

async function signedInRequest(): Promise<Request> {
  const caller = auth.router.createCaller(await auth.createContext({ req: new Request(served.url) }));
  const { accessToken } = await caller.login({ username: "grace", password });
  return new Request(served.url, { headers: { authorization: `Bearer ${accessToken}` } });
}
