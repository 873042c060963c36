/** The process: the API of `examples/notes` under `/trpc`, and pages for everything else. */
import { fileURLToPath } from "node:url";
import * as pages from "virtual:react-router/server-build";
import { auth } from "@countersign/example-notes/auth";
import { appRouter } from "@countersign/example-notes/router";
import { createApp, readEnvironment, serve } from "@countersign/server";
import { getConnInfo } from "@hono/node-server/conninfo";
import { serveStatic } from "@hono/node-server/serve-static";
import { createRequestHandler, RouterContextProvider } from "react-router";
import { addressContext, notes } from "./caller.server.ts";

const environment = readEnvironment();

const app = createApp(auth, {
  ...environment.app,
  router: appRouter,
  createContext: (context) => ({ ...context, notes }),
});

app.use("/assets/*", serveStatic({ root: fileURLToPath(new URL("../client", import.meta.url)) }));

const renderPage = createRequestHandler(pages);
app.all("*", async (context) => {
  const visit = new RouterContextProvider();
  visit.set(addressContext, getConnInfo(context).remote.address ?? null);
  const page = await renderPage(context.req.raw, visit);
  // A page shows what is one visitor's alone: nobody keeps it, not even for the way back after a sign-out.
  page.headers.set("cache-control", "no-store");
  return page;
});

await auth.start();
const { url } = await serve(app, environment.listen);
console.log(`Open ${url}/`);
