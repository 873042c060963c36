/** TLS by the URL: a node talks to nobody but the database whose certificate it was told to trust. */
import { writeFileSync } from "node:fs";
import { createAuth } from "@countersign/server";
import { postgres } from "@countersign/server/postgres";
import pg from "pg";
import { generate } from "selfsigned";
import { expect, it } from "vitest";
import { startPostgres } from "../support/postgres-server.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Opens the database, and says how its connections are encrypted. */
async function versionsBy(url: string): Promise<readonly unknown[]> {
  await using auth = createAuth({
    database: postgres(url),
    secret: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
    issuer: "https://auth.example",
  });
  await auth.start();
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query(
    "select distinct ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'countersign'",
  );
  await client.end();
  return rows;
}

it("the certificate is checked, and its name too", { timeout: 60_000 }, async () => {
  const certify = () =>
    generate([{ name: "commonName", value: "localhost" }], {
      keySize: 2048,
      extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] }],
    });
  const [ours, other] = [await certify(), await certify()];
  await using folder = await temporaryFolder();
  writeFileSync(folder.file("ours.pem"), ours.cert);
  writeFileSync(folder.file("other.pem"), other.cert);
  const flags = ["ssl=on", "ssl_cert_file=server.pem", "ssl_key_file=server.key"].flatMap((flag) => ["-c", flag]);
  await using server = await startPostgres(flags, { "server.pem": ours.cert, "server.key": ours.private });
  const url = (host: string, query: string) => `${server.url.replace("127.0.0.1", host)}?${query}`;

  const trusted = `sslmode=verify-full&sslrootcert=${encodeURIComponent(folder.file("ours.pem"))}`;
  expect(await versionsBy(url("localhost", trusted))).toEqual([{ ssl: true }]);
  for (const refused of [
    // Signed by nobody that is known; by another; and for another name.
    url("localhost", "sslmode=verify-full"),
    url("localhost", `sslmode=verify-full&sslrootcert=${encodeURIComponent(folder.file("other.pem"))}`),
    url("127.0.0.1", trusted),
  ]) {
    const error = await versionsBy(refused).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: "StoreError", reason: "CANNOT_OPEN" });
    expect(String(error)).toMatch(/certificate|self-signed|altnames/i);
    expect(String(error)).not.toContain("postgres:postgres");
  }
});
