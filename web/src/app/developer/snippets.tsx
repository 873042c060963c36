import { Trans, useLingui } from "@lingui/react/macro";
import styles from "../parts/page.module.css";
import { Copy } from "./copy.tsx";

/** Code that works as it is here, but for the password. */
export function Snippets({
  origin,
  issuer,
  username,
}: {
  readonly origin: string;
  readonly issuer: string;
  readonly username: string;
}) {
  const { t } = useLingui();
  const snippets = [
    { name: t`The typed client`, code: clientSnippet(origin, username) },
    { name: t`By curl`, code: curlSnippet(origin, username) },
    { name: t`A test of your router`, code: testSnippet(username) },
    { name: t`A service that verifies tokens`, code: verifierSnippet(issuer) },
  ];
  return (
    <section aria-labelledby="snippets">
      <h2 id="snippets">
        <Trans>How to begin</Trans>
      </h2>
      {snippets.map(({ name, code }) => (
        <section key={name} aria-label={name}>
          <h3>{name}</h3>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled can be reached by the keyboard. */}
          <pre className={styles.snippet} tabIndex={0} dir="ltr">
            <code>{code}</code>
          </pre>
          <Copy text={code} name={name} />
        </section>
      ))}
    </section>
  );
}

const clientSnippet = (origin: string, username: string) => `import { createAuthClient } from "@countersign/client";
import type { AppRouter } from "./server";

const auth = createAuthClient<AppRouter>({ url: ${JSON.stringify(`${origin}/trpc`)} });
await auth.login({ username: ${JSON.stringify(username)}, password });
const me = await auth.trpc.auth.me.query();`;

const curlSnippet = (origin: string, username: string) => `curl ${origin}/token \\
  --data-urlencode username=${quoted(username)} --data-urlencode password@-`;

const testSnippet = (username: string) => `import { createTestAuth } from "@countersign/server/testing";

await using test = await createTestAuth(auth.options);
const context = await test.asUser({ username: ${JSON.stringify(username)}, roles: ["admin"] });
const caller = appRouter.createCaller(context);
expect(await caller.auth.me()).toMatchObject({ username: ${JSON.stringify(username)} });`;

const verifierSnippet = (issuer: string) => `import { createVerifier } from "@countersign/server/verifier";

const verifier = createVerifier({ issuer: ${JSON.stringify(issuer)} });
const principal = await verifier.verify(accessToken);`;

/** For a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
