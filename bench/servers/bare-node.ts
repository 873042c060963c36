/** What Node takes alone: a server that answers nothing of use. */
import { createServer } from "node:http";
import { environment } from "./environment.ts";

createServer((_request, response) => response.end("{}")).listen(environment.port, "127.0.0.1", () => {
  process.stdout.write(`${JSON.stringify({ requests: {} })}\n`);
});
