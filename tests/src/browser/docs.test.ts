/** `GET /docs` as a developer uses it: Authorize with username and password, then try calls out. */
import type { Locator, Page } from "playwright-core";
import { afterAll, expect, it } from "vitest";
import { startBrowser, watch } from "../support/browser.ts";
import { signUp } from "../support/people.ts";
import { password, testApp } from "../support/test-app.ts";

const browser = await startBrowser();
afterAll(() => browser.close());

it("Authorize signs in with username and password, and then protected calls answer", { timeout: 60_000 }, async () => {
  await using app = await testApp();
  await signUp(app);
  const page = await browser.newPage();
  const complaints = watch(page, app.url);
  await page.goto(`${app.url}/docs`);

  await page.getByRole("button", { name: "Authorize", exact: true }).first().click();
  const dialog = page.locator(".modal-ux");
  await dialog.locator("#oauth_username").fill("alice");
  await dialog.locator("#oauth_password").fill(password);
  await dialog.locator("#select-all-password, .select-all, a:text('select all')").first().click();
  await dialog.getByRole("button", { name: "Apply given OAuth2 credentials" }).click();
  await dialog.getByRole("button", { name: "Remove authorization" }).waitFor();
  await dialog.getByRole("button", { name: "Close", exact: true }).last().click();

  expect(await tryOut(page, "/users/me")).toMatchObject({ status: 200, body: { username: "alice" } });
  expect(await tryOut(page, "/trpc/whoami")).toMatchObject({
    status: 200,
    body: { result: { data: { json: { username: "alice" } } } },
  });
  expect(await tryOut(page, "/trpc/read")).toMatchObject({ status: 200, body: { result: { data: { json: "read" } } } });
  expect(complaints).toEqual([]);
  await page.close();
});

/** Opens an operation, runs it, and reads what the server answered. */
async function tryOut(page: Page, path: string): Promise<{ status: number; body: unknown }> {
  const operation: Locator = page.locator(".opblock", { has: page.locator(`[data-path="${path}"]`) });
  await operation.locator(".opblock-summary-control").click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  const [reply] = await Promise.all([
    page.waitForResponse((response) => new URL(response.url()).pathname === path),
    operation.getByRole("button", { name: "Execute" }).click(),
  ]);
  await operation.locator(".live-responses-table .response-col_status").first().waitFor();
  return { status: reply.status(), body: await reply.json() };
}
