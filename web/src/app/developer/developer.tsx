import { useSession } from "@countersign/client/react";
import { Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { Fact, Facts } from "../parts/facts.tsx";
import { Loaded } from "../parts/loading.tsx";
import styles from "../parts/page.module.css";
import { Table } from "../parts/table.tsx";
import { Title } from "../parts/title.tsx";
import { useApp } from "../use-app.ts";
import { Snippets } from "./snippets.tsx";
import { TokenDecoder } from "./token-decoder.tsx";

/** What an application needs to know of this server, with its real values. */
export function Developer() {
  const { t } = useLingui();
  const { trpc } = useApp();
  const session = useSession();
  const facts = useQuery(trpc.developer.queryOptions());
  const username = session.status === "signed-in" ? session.user.username : "";
  return (
    <>
      <Title text={t`For developers`} />
      <Loaded query={facts}>
        {({ issuer, audience, access, problem }) => (
          <>
            <Facts>
              <Fact name={t`Address`}>
                <code>{location.origin}</code>
              </Fact>
              <Fact name={t`Issuer`}>
                <code>{issuer}</code>
              </Fact>
              <Fact name={t`Audience`}>
                <code>{audience}</code>
              </Fact>
              <Fact name={t`Public keys`}>
                <a href="/.well-known/jwks.json">/.well-known/jwks.json</a>
              </Fact>
              <Fact name={t`The plain HTTP API`}>
                <a href="/docs">/docs</a>
              </Fact>
            </Facts>
            <Snippets facts={{ origin: location.origin, issuer, audience, username }} />
            <TokenDecoder />
            <section aria-labelledby="access">
              <h2 id="access">
                <Trans>Who may call what</Trans>
              </h2>
              {problem !== null && <p className={styles.notice}>{problem}</p>}
              <Table
                caption={t`Read from the guards of the router that is served under /trpc`}
                rows={access}
                keyOf={({ path }) => path}
                columns={[
                  { name: t`Procedure`, cell: ({ path }) => <code>{path}</code> },
                  { name: t`Type`, cell: ({ type }) => type },
                  { name: t`Who`, cell: ({ signedIn }) => (signedIn ? t`Signed in` : t`Everyone`) },
                  { name: t`Scopes`, cell: ({ scopes }) => scopes.join(", ") || "–" },
                  { name: t`Roles`, cell: ({ roles }) => roles.join(", ") || "–" },
                  {
                    name: t`Age of the sign-in, at most`,
                    cell: ({ maxAge }) => (maxAge === null ? "–" : `${maxAge} s`),
                  },
                ]}
              />
            </section>
          </>
        )}
      </Loaded>
    </>
  );
}
