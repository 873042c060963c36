/** The server's pages as a browser without scripts uses them. */
import { expect } from "vitest";
import { password, type TestApp } from "./test-app.ts";

/** What the document of a page was made of; `null` where the reply is no such page. */
export async function pageIn(reply: Response) {
  const data = /data-page="([^"]*)"/.exec(await reply.text())?.[1]?.replaceAll("&quot;", '"');
  return JSON.parse(data ?? "null");
}

/** Sends a form as a page of the server does. */
export function post(
  app: TestApp,
  path: string,
  fields: Readonly<Record<string, string>>,
  headers: Record<string, string> = {},
): Promise<Response> {
  const body = new URLSearchParams(fields);
  return app.request(path, { method: "POST", body, headers: { origin: app.url, ...headers }, redirect: "manual" });
}

/** Signs in, and returns the header of whoever is. */
export async function signInByForm(app: TestApp, username = "alice"): Promise<{ cookie: string }> {
  const reply = await post(app, "/sign-in", { username, password });
  return { cookie: reply.headers.get("set-cookie")?.split(";")[0] ?? expect.fail("no cookie") };
}
