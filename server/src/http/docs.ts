/** `GET /docs`: Swagger UI, from local files only. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Hono } from "hono";

const mediaTypes: Readonly<Record<string, string>> = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "favicon-32x32.png": "image/png",
  "init.js": "text/javascript; charset=utf-8",
  "docs.css": "text/css; charset=utf-8",
};

/** Swagger UI sets its styles through the DOM, which needs no permission, and has its icons in its style sheet, as data. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

export function docsRoutes(): Hono {
  let loading: Promise<Assets> | undefined;
  const load = () => {
    loading ??= loadAssets();
    return loading;
  };

  return new Hono()
    .get("/docs", async (context) => {
      const { version } = await load();
      return context.html(page(version), 200, {
        "content-security-policy": contentSecurityPolicy,
        "cache-control": "no-cache",
      });
    })
    .get("/docs/:version/:file", async (context) => {
      const { version, files } = await load();
      const file = files.get(context.req.param("file"));
      // Nothing under another version's address: it would be kept for good.
      if (file === undefined || context.req.param("version") !== version) return context.notFound();
      return context.body(file.content, 200, {
        "content-type": file.mediaType,
        "cache-control": "public, max-age=31536000, immutable",
      });
    });
}

interface Assets {
  /** A hash over all of them: part of their addresses, so that they may be kept for good. */
  readonly version: string;
  readonly files: ReadonlyMap<string, { readonly content: Uint8Array<ArrayBuffer>; readonly mediaType: string }>;
}

async function loadAssets(): Promise<Assets> {
  const hash = createHash("sha256");
  const files: [string, { content: Uint8Array<ArrayBuffer>; mediaType: string }][] = [];
  for (const [name, mediaType] of Object.entries(mediaTypes)) {
    const own = ownFiles[name];
    const content = new Uint8Array(own === undefined ? await readFile(new URL(name, swaggerUi())) : Buffer.from(own));
    hash.update(content);
    files.push([name, { content, mediaType }]);
  }
  return { version: hash.digest("hex").slice(0, 16), files: new Map(files) };
}

/** The folder beside the built program, or the package that the build copies it from. */
function swaggerUi(): URL {
  const built = new URL("../dist/swagger-ui/", import.meta.url);
  if (existsSync(built)) return built;
  return pathToFileURL(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
}

function page(version: string): string {
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>API</title>
  <link rel="icon" href="/docs/${version}/favicon-32x32.png">
  <link rel="stylesheet" href="/docs/${version}/swagger-ui.css">
  <link rel="stylesheet" href="/docs/${version}/docs.css">
  <script src="/docs/${version}/swagger-ui-bundle.js" defer></script>
  <script src="/docs/${version}/init.js" defer></script>
</head>
<body>
  <noscript>This page needs JavaScript. What it shows is in <a href="/openapi.json">/openapi.json</a>.</noscript>
  <div id="swagger-ui"></div>
</body>
</html>
`;
}

/** No validator, which would send the document elsewhere, and nothing kept of a sign-in. */
const initScript = `SwaggerUIBundle({
  dom_id: "#swagger-ui",
  url: "/openapi.json",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
});
`;

/**
 * Leaves out of Authorize, for which Swagger UI has no options: client credentials, which nobody is asked for, and the
 * field for a token from elsewhere, which takes the focus away from the username.
 */
const styleSheet = `.auth-container .wrapper:has(
  > label:is([for="password_type"], [for="client_id_password"], [for="client_secret_password"])
),
.auth-container:has(#auth-bearer-value) {
  display: none;
}
`;

/** What is not Swagger UI's. */
const ownFiles: Readonly<Record<string, string>> = { "init.js": initScript, "docs.css": styleSheet };
