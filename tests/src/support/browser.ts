/** The real Chromium that npm installs. */
import chromium from "@sparticuz/chromium";
import { type Browser, type Page, chromium as playwright } from "playwright-core";
import { beforeEach } from "vitest";

/** Starts a browser; ends with its block. */
export async function startBrowser(): Promise<Browser & AsyncDisposable> {
  // Nothing of a browser's own may call home: the tests fail on requests to foreign origins.
  const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
  return playwright.launch({
    executablePath: await chromium.executablePath(),
    // Not the package's own arguments: they switch web security off, which is what the tests are about.
    args: ["--no-sandbox", ...quiet],
    headless: true,
  });
}

/** Why this machine has no browser; `null` where it has one. */
export async function whyNoBrowser(): Promise<string | null> {
  try {
    await (await startBrowser()).close();
    return null;
  } catch (error) {
    const [said] = String(error).split("\n");
    return `Chromium does not run here (${process.platform} ${process.arch}): ${said}`;
  }
}

/** Skips the tests of a file, and says why, where this machine has no browser. */
export async function skipWithoutBrowser(): Promise<void> {
  const reason = await whyNoBrowser();
  if (reason === null) return;
  console.warn(reason);
  beforeEach(({ skip }) => skip(reason));
}

/** What a page must not do: complain, break its policy, or call elsewhere. Filled as it happens. */
export function watch(page: Page, origin: string): string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("request", (request) => {
    const { protocol, origin: called } = new URL(request.url());
    if (protocol.startsWith("http") && called !== origin) complaints.push(`request to ${called}`);
  });
  return complaints;
}
