/** What an editor shows: TypeScript's language server, spoken to over its standard input and output. */
import { spawn } from "node:child_process";
import { pathToFileURL } from "node:url";
import { root } from "./pack.ts";

/** An editor with one file open. */
export interface Editor extends Disposable {
  /** What is shown of the first place in the file that this text is found at, with `|` for where to point: `auth.|login`. */
  hover(place: string): Promise<string>;
  /** The files that go-to-definition leads to from there. */
  definition(place: string): Promise<string[]>;
}

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly result?: unknown;
}

/** Opens a file, whose text it is given. */
export async function openInEditor(folder: string, file: string, text: string): Promise<Editor> {
  const server = spawn(process.execPath, [`${root}/node_modules/typescript/bin/tsc`, "--lsp", "--stdio"]);
  const waiting = new Map<number, (result: unknown) => void>();
  let received = Buffer.alloc(0);
  let lastId = 0;

  function send(message: object): void {
    const body = JSON.stringify({ jsonrpc: "2.0", ...message });
    server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  function ask(method: string, params: object): Promise<unknown> {
    lastId += 1;
    send({ id: lastId, method, params });
    return new Promise((resolve) => waiting.set(lastId, resolve));
  }

  function answer({ id, method, result }: Answer): void {
    if (id === undefined) return;
    // What the server asks of an editor is about its settings: there are none.
    if (method !== undefined) send({ id, result: null });
    else waiting.get(id)?.(result);
  }

  server.stdout.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    for (let body = nextBody(received); body !== null; body = nextBody(received)) {
      received = received.subarray(body.end);
      answer(JSON.parse(body.text));
    }
  });

  const uri = pathToFileURL(`${folder}/${file}`).href;
  const capabilities = { textDocument: { hover: { contentFormat: ["plaintext"] } } };
  await ask("initialize", { processId: process.pid, rootUri: pathToFileURL(folder).href, capabilities });
  send({ method: "initialized", params: {} });
  send({
    method: "textDocument/didOpen",
    params: { textDocument: { uri, languageId: "typescript", version: 1, text } },
  });
  const at = (place: string) => ({ textDocument: { uri }, position: positionOf(text, place) });

  return {
    async hover(place) {
      const shown = (await ask("textDocument/hover", at(place))) as { contents: { value: string } } | null;
      return shown?.contents.value ?? "";
    },
    async definition(place) {
      const found = (await ask("textDocument/definition", at(place))) as { uri: string }[] | null;
      return (found ?? []).map(({ uri }) => decodeURIComponent(uri));
    },
    [Symbol.dispose]: () => void server.kill(),
  };
}

function nextBody(received: Buffer): { text: string; end: number } | null {
  const headerEnd = received.indexOf("\r\n\r\n");
  if (headerEnd === -1) return null;
  const start = headerEnd + 4;
  const end = start + Number(/Content-Length: (\d+)/i.exec(received.toString("ascii", 0, headerEnd))?.[1]);
  return received.length < end ? null : { text: received.toString("utf8", start, end), end };
}

function positionOf(text: string, place: string): { line: number; character: number } {
  const index = text.indexOf(place.replace("|", ""));
  if (index === -1) throw new Error(`there is no ${place} in the file`);
  const before = text.slice(0, index + place.indexOf("|")).split("\n");
  return { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
}
