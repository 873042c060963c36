import { Trans, useLingui } from "@lingui/react/macro";
import styles from "../parts/page.module.css";
import { Copy } from "./copy.tsx";
import { clientCode, curlCode, type SnippetFacts, testCode, verifierCode } from "./snippet-code.ts";

/** Code to begin with, which works as it stands. */
export function Snippets({ facts }: { readonly facts: SnippetFacts }) {
  const { t } = useLingui();
  const snippets = [
    { name: t`The typed client`, code: clientCode(facts) },
    { name: t`By curl`, code: curlCode(facts) },
    { name: t`A test of your router`, code: testCode(facts) },
    { name: t`A service that verifies tokens`, code: verifierCode(facts) },
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
