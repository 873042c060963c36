/** From the first start of the real command to an account, in a browser; and a server that restarts while somebody types. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { skipWithoutBrowser, startBrowser } from "../support/browser.ts";
import { fill, openPage, press, signInAt } from "../support/open-page.ts";
import { password, workplace } from "../support/workplace.ts";

await skipWithoutBrowser();

let browser: Browser & AsyncDisposable;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

it("the printed address leads to the first account, an administrator's, and to nothing afterwards", async () => {
  await using place = workplace();
  const server = await place.serve();
  const printed = /http:\S+\/setup#code=\S+/.exec(server.output())?.[0] ?? expect.fail("no address was printed");
  await using tab = await openPage(browser, server, printed);
  const { page } = tab;
  await page.locator("html[data-scripts=on]").waitFor();
  // Neither the history nor whoever looks at the screen keeps the code.
  expect(page.url()).toBe(`${server.url}/setup`);
  await fill(page, { Username: "grace", Password: password });
  await Promise.all([page.waitForURL("**/account"), press(page, "Make the account")]);
  await page.getByRole("link", { name: "For developers" }).click();
  await page.getByRole("heading", { name: "How to begin" }).waitFor();
  await page.goto(printed);
  expect(new URL(page.url()).pathname).toBe("/sign-in");
  expect(tab.complaints).toEqual([]);
});

it("a server that restarts while somebody types is noticed by nobody", async () => {
  await using place = workplace();
  await place.json(["users", "create", "ada", "--password-stdin"], { input: password });
  const first = await place.serve();
  await using tab = await openPage(browser, first, "/sign-in?return_to=/account/security-log");
  await using signedIn = await openPage(browser, first, "/sign-in");
  await signInAt(signedIn.page, "ada");
  await tab.page.getByLabel("Password", { exact: true }).fill(password);
  first.signal("SIGTERM");
  await first.ended;
  const second = await place.serve({ PORT: new URL(first.url).port });
  expect(second.url).toBe(first.url);
  await signInAt(tab.page, "ada");
  await tab.page.getByRole("heading", { name: "What happened to your account" }).waitFor();
  await signedIn.page.reload();
  await signedIn.page.getByText("This device").waitFor();
});
