/** Serves the API of `examples/notes`, and these pages with `/trpc` behind them: one origin, so that a cookie signs in. */
import { fileURLToPath } from "node:url";
import { url } from "@countersign/example-notes/main";
import { createServer } from "vite";

const vite = await createServer({
  root: fileURLToPath(new URL("..", import.meta.url)),
  server: { host: "127.0.0.1", port: Number(process.env.PAGE_PORT ?? 5173), proxy: { "/trpc": url } },
});
await vite.listen();
console.log(`Open ${vite.resolvedUrls?.local[0]}`);
