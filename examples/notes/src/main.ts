import { createApp, readEnvironment, serve } from "@countersign/server";
import { auth } from "./auth.ts";
import { createNoteBook } from "./notes.ts";
import { appRouter } from "./router.ts";

const environment = readEnvironment();
const notes = createNoteBook();

const app = createApp(auth, {
  ...environment.app,
  router: appRouter,
  createContext: (context) => ({ ...context, notes }),
});

await auth.start();
export const { url } = await serve(app, environment.listen);
console.log(`Notes are served at ${url}/trpc, and described at ${url}/docs.`);
