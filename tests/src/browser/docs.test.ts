/** `GET /docs` as a developer uses it: Authorize with username and password, then try calls out. */
import { createAuthClient } from "@countersign/client";
import type { RootRouter } from "@countersign/server";
import type { Locator, Page } from "playwright-core";
import { expect, it } from "vitest";
import { skipWithoutBrowser, startBrowser, watch } from "../support/browser.ts";
import { notesExample } from "../support/notes-example.ts";
import { signUp } from "../support/people.ts";
import { password, testApp } from "../support/test-app.ts";

await skipWithoutBrowser();

it("Authorize signs in with username and password, and then protected calls answer", { timeout: 60_000 }, async () => {
  await using app = await testApp();
  await signUp(app);
  await using docs = await openDocs(app.url);
  const { page, complaints, urls } = docs;
  const { dialog } = await authorize(page, password);
  await dialog.getByRole("button", { name: "Remove authorization" }).waitFor();
  await dialog.getByRole("button", { name: "Close", exact: true }).last().click();

  expect(await tryOut(page, "/users/me")).toMatchObject({ status: 200, body: { username: "alice" } });
  expect(await tryOut(page, "/trpc/whoami")).toMatchObject({
    status: 200,
    body: { result: { data: { json: { username: "alice" } } } },
  });
  expect(await tryOut(page, "/trpc/read")).toMatchObject({ status: 200, body: { result: { data: { json: "read" } } } });
  expect(await tryOut(page, "/trpc/write", { json: { text: "Buy milk" } })).toMatchObject({
    status: 200,
    body: { result: { data: { json: "Buy milk" } } },
  });
  expect(complaints).toEqual([]);
  // Neither the password nor a token.
  expect(urls.filter((url) => /battery|eyJ/.test(decodeURIComponent(url)))).toEqual([]);
});

it("in examples/notes, its own procedures answer too", { timeout: 60_000 }, async () => {
  await using notes = await notesExample();
  await createAuthClient<RootRouter>({ url: `${notes.url}/trpc` }).register({ username: "alice", password });
  await using docs = await openDocs(notes.url);
  const { dialog } = await authorize(docs.page, password);
  await dialog.getByRole("button", { name: "Close", exact: true }).last().click();

  expect(await tryOut(docs.page, "/users/me")).toMatchObject({ status: 200, body: { username: "alice" } });
  const created = await tryOut(docs.page, "/trpc/notes.create", { json: { text: "Buy milk" } });
  expect(created).toMatchObject({ status: 200, body: { result: { data: { json: { text: "Buy milk" } } } } });
  const listed = await tryOut(docs.page, "/trpc/notes.list");
  expect(listed).toMatchObject({ status: 200, body: { result: { data: { json: [{ text: "Buy milk" }] } } } });
  expect(docs.complaints).toEqual([]);
});

it("what Try it out shows at first can be sent as it is", { timeout: 60_000 }, async () => {
  await using app = await testApp();
  await using docs = await openDocs(app.url);
  expect(await tryOut(docs.page, "/trpc/auth.register")).toMatchObject({ status: 200 });
  expect(await tryOut(docs.page, "/trpc/auth.login")).toMatchObject({ status: 200 });
  expect(await tryOut(docs.page, "/token")).toMatchObject({ status: 200, body: { token_type: "bearer" } });
  expect(docs.complaints).toEqual([]);
});

it("Authorize asks for a username and a password, and for no client", { timeout: 60_000 }, async () => {
  await using app = await testApp();
  await using docs = await openDocs(app.url);
  await docs.page.getByRole("button", { name: "Authorize", exact: true }).first().click();
  const dialog = docs.page.locator(".modal-ux");
  await dialog.locator("#oauth_username").waitFor();
  const asked = await dialog
    .locator("input:visible:not([type=checkbox])")
    .evaluateAll((inputs) => inputs.map(({ id }) => id));
  expect(asked).toEqual(["oauth_username", "oauth_password"]);
  expect(await docs.page.evaluate(() => document.activeElement?.id)).toBe("oauth_username");
  await expect.poll(() => dialog.locator("select:visible").count()).toBe(0);
  await dialog.getByText("Choose scopes, or none for all that you may have.").waitFor();
});

it("nothing of a sign-in outlives the page", { timeout: 60_000 }, async () => {
  await using app = await testApp();
  await signUp(app);
  await using docs = await openDocs(app.url);
  const { page } = docs;
  const { dialog } = await authorize(page, password);
  await dialog.getByRole("button", { name: "Remove authorization" }).waitFor();
  const kept = await page.evaluate(() => ({ local: { ...localStorage }, session: { ...sessionStorage } }));
  expect([kept, await page.context().cookies()]).toEqual([{ local: {}, session: {} }, []]);

  await page.reload();
  expect(await tryOut(page, "/users/me")).toMatchObject({ status: 401, body: { reason: "TOKEN_MISSING" } });
});

it("a wrong password is shown as such", { timeout: 60_000 }, async () => {
  await using app = await testApp();
  await signUp(app);
  await using docs = await openDocs(app.url);
  const { dialog } = await authorize(docs.page, "wrong");
  await dialog.locator(".errors").getByText("The username or the password is wrong.").waitFor();
});

/** The page in a browser of its own, what it complained of, and every address that it asked for. */
async function openDocs(origin: string) {
  const browser = await startBrowser();
  const page = await browser.newPage();
  const complaints = watch(page, origin);
  const urls: string[] = [];
  page.on("request", (request) => urls.push(request.url()));
  await page.goto(`${origin}/docs`);
  return { page, complaints, urls, [Symbol.asyncDispose]: () => browser.close() };
}

/** Sends the form behind "Authorize", and returns its dialog. */
async function authorize(page: Page, secret: string): Promise<{ dialog: Locator }> {
  await page.getByRole("button", { name: "Authorize", exact: true }).first().click();
  const dialog = page.locator(".modal-ux");
  await dialog.locator("#oauth_username").fill("alice");
  await dialog.locator("#oauth_password").fill(secret);
  await dialog.getByRole("button", { name: "Apply given OAuth2 credentials" }).click();
  return { dialog };
}

/** Opens an operation, runs it with an input, and reads what the server answered. */
async function tryOut(page: Page, path: string, input?: unknown): Promise<{ status: number; body: unknown }> {
  const operation: Locator = page.locator(".opblock", { has: page.locator(`[data-path="${path}"]`) });
  await operation.locator(".opblock-summary-control").click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  if (input !== undefined) await operation.locator("textarea").fill(JSON.stringify(input));
  const [reply] = await Promise.all([
    page.waitForResponse((response) => new URL(response.url()).pathname === path),
    operation.getByRole("button", { name: "Execute" }).click(),
  ]);
  await operation.locator(".live-responses-table .response-col_status").first().waitFor();
  return { status: reply.status(), body: await reply.json() };
}
