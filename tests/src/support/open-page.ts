/** A page of the server's own, opened by somebody who was never here. */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { watch } from "./browser.ts";
import { password } from "./test-app.ts";

export interface OpenOptions extends BrowserContextOptions {
  /** Called before the page is asked for. */
  readonly prepare?: (context: BrowserContext) => Promise<void>;
  /** What is waited for. Default: that all of it is loaded. */
  readonly waitUntil?: "load" | "commit";
}

/** What the page may not do is in `complaints`. Ends with its block. */
export async function openPage(
  browser: Browser,
  app: { readonly url: string },
  path: string,
  { prepare = async () => {}, waitUntil = "load", ...options }: OpenOptions = {},
) {
  const context = await browser.newContext({ baseURL: app.url, locale: "en-US", ...options });
  await prepare(context);
  const page = await context.newPage();
  const complaints = watch(page, app.url);
  await page.goto(path, { waitUntil });
  return { page, context, complaints, [Symbol.asyncDispose]: () => context.close() };
}

/** Fills fields by their labels. */
export async function fill(page: Page, fields: Readonly<Record<string, string>>): Promise<void> {
  for (const [label, value] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(value);
}

/** Presses the button of this name. */
export function press(page: Page, name: string): Promise<void> {
  return page.getByRole("button", { name, exact: true }).click();
}

/** The label of the field that names who signs in. */
export const nameField = "Username or e-mail address";

/** Signs in on the page that asks for it, and waits for the one that it leads to. */
export async function signInAt(page: Page, username: string, secret = password): Promise<void> {
  await fill(page, { [nameField]: username, Password: secret });
  await Promise.all([page.waitForURL((url) => url.pathname !== "/sign-in"), press(page, "Sign in")]);
}
