/** React's strict mode and Suspense, in a real browser: who is signed in while components wait. */
import { expect, it } from "vitest";
import { skipWithoutBrowser, startBrowser, watch } from "../support/browser.ts";
import { password } from "../support/test-app.ts";
import { inPage, servePages } from "./pages.ts";

await skipWithoutBrowser();

it("a component that waits shows each person their own", { timeout: 60_000 }, async () => {
  await using server = await servePages({}, { page: new URL("./suspense-page.tsx", import.meta.url) });
  await using browser = await startBrowser();
  const page = await browser.newPage();
  const complaints = watch(page, server.url);
  await page.goto(`${server.url}/page`);
  const heading = (name: string) => page.getByRole("heading", { name, exact: true });
  await heading("Nobody").waitFor();
  for (const username of ["alice", "bob"]) {
    await inPage(page, ({ auth }, input) => auth.register(input).then(() => {}), { username, password });
    await heading(username).waitFor();
    expect(await page.getByRole("heading").allTextContents()).toEqual([username]);
  }
  // While what is shown is still on its way.
  await page.route("**/whoami**", async (route) => {
    const response = await route.fetch();
    await inPage(page, ({ auth }, input) => auth.login(input).then(() => {}), { username: "alice", password });
    await page.unroute("**/whoami**");
    await route.fulfill({ response }).catch(() => {});
  });
  await page.reload();
  await heading("alice").waitFor();
  expect(await page.getByRole("heading").allTextContents()).toEqual(["alice"]);
  await inPage(page, ({ auth }) => auth.logout(), null);
  await heading("Nobody").waitFor();
  // The call of who was replaced is refused, as it must be.
  expect(complaints.filter((complaint) => !complaint.includes("401"))).toEqual([]);
});
