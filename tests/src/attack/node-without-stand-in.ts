/** A node that compares nothing where there is no hash, and answers at once: what measures times has to notice. Run by enumeration-timing.test.ts. */
import { createApp, createAuth, readEnvironment, serve } from "@countersign/server";
import { testOptions, testRouter } from "../support/test-router.ts";

const environment = readEnvironment();
const own = JSON.parse(process.env.TEST_NODE_OPTIONS ?? "{}");
const auth = createAuth({ ...testOptions, ...environment.auth, ...own });
const { hasher } = await auth.start();
const { verify } = hasher;
hasher.verify = async (password, stored) => stored !== null && verify(password, stored);
const { url } = await serve(createApp(auth, { ...environment.app, router: testRouter }), environment.listen);
console.log(`listening on ${url}`);
