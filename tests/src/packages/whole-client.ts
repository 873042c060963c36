/** Everything that a page can load of the client, but for React's part. */
import * as client from "@countersign/client";
import * as live from "@countersign/client/subscriptions";

Object.assign(globalThis, { client, live });
