/** One node of a fleet: the test router, as an application would serve it, on what the environment says. */
import { createApp, createAuth, readEnvironment, serve } from "@countersign/server";
import { testOptions, testRouter } from "../support/test-router.ts";

const environment = readEnvironment();
// What a password costs is not what is tested here.
const passwordHashing = { memoryKiB: 8, iterations: 1, parallelism: 1 };
// What an application would say in its code, and no variable says.
const own = JSON.parse(process.env.TEST_NODE_OPTIONS ?? "{}");
const auth = createAuth({ ...testOptions, ...environment.auth, passwordHashing, ...own });
await auth.start();
const { url } = await serve(createApp(auth, { ...environment.app, router: testRouter }), environment.listen);
console.log(`listening on ${url}`);
