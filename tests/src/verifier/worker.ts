/** A Worker with one verifier for all of its requests, as an application would have it. */
import { createVerifier, type Verifier } from "@countersign/server/verifier";
import { type Given, outcome, run } from "./scenario.ts";

let shared: Verifier | undefined;
let following: Verifier | undefined;

// biome-ignore lint/style/noDefaultExport: workerd asks for one.
export default {
  async fetch(request: Request): Promise<Response> {
    const given: Given = await request.json();
    if (new URL(request.url).pathname === "/scenario") return Response.json(await run(given));
    const { issuer, audience, jwksUri } = given;
    if (new URL(request.url).pathname === "/follow") {
      following ??= createVerifier({ issuer, audience, jwksUri, feed: true });
      return Response.json(await outcome(following.verify(given.good)));
    }
    shared ??= createVerifier({ issuer, audience, jwksUri });
    return Response.json(await outcome(shared.verify(given.good)));
  },
};
