import { once } from "node:events";
import { connect } from "node:net";

/** What came back: the status, and the body after the headers. */
export interface RawReply {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** Sends bytes as they are, for what `fetch` refuses to send, and reads until the server closes. */
export async function rawRequest(url: string, lines: readonly string[], body = ""): Promise<RawReply> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.setEncoding("utf8");
  let received = "";
  socket.on("data", (text) => {
    received += text;
  });
  await once(socket, "connect");
  socket.write(`${[...lines, `host: ${hostname}`, "connection: close"].join("\r\n")}\r\n\r\n${body}`);
  await once(socket, "close");
  const [headers = "", ...rest] = received.split("\r\n\r\n");
  return { status: Number(headers.split(" ")[1]), headers, body: rest.join("\r\n\r\n") };
}
