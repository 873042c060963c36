import { Trans, useLingui } from "@lingui/react/macro";
import { useEffect, useState } from "react";
import form from "../../shared/form.module.css";
import styles from "../parts/page.module.css";
import { type DecodedToken, decodeToken } from "./decode-token.ts";

/** Shows what is in a token that is put here. It never leaves the page. */
export function TokenDecoder() {
  const { t } = useLingui();
  const [text, setText] = useState("");
  const decoded = decodeToken(text);
  return (
    <section aria-labelledby="decoder">
      <h2 id="decoder">
        <Trans>What is in a token</Trans>
      </h2>
      <label className={form.field}>
        <Trans>Put an access token of yours here, as from the curl above. It is not sent anywhere.</Trans>
        <textarea
          className={form.select}
          rows={4}
          dir="ltr"
          spellCheck={false}
          autoComplete="off"
          value={text}
          onChange={({ currentTarget: { value } }) => setText(value)}
        />
      </label>
      <p role="status">{text !== "" && decoded === null && t`This is no access token.`}</p>
      {decoded !== null && <Decoded token={decoded} />}
    </section>
  );
}

function Decoded({ token: { header, payload, expiresAt } }: { readonly token: DecodedToken }) {
  const left = useSecondsUntil(expiresAt);
  return (
    <>
      {left !== null && (
        // Not announced each second: it is there to be looked at.
        <p>{left > 0 ? <Trans>It is good for {left} s more.</Trans> : <Trans>It has expired.</Trans>}</p>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled can be reached by the keyboard. */}
      <pre className={styles.snippet} tabIndex={0} dir="ltr">
        <code>{payload === null ? header : `${header}\n${payload}`}</code>
      </pre>
      {payload === null && (
        <p>
          <Trans>What it says is encrypted: only holders of the server’s secret can read it.</Trans>
        </p>
      )}
    </>
  );
}

function useSecondsUntil(time: number | null): number | null {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (time === null) return;
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [time]);
  return time === null ? null : Math.max(0, Math.ceil((time - now) / 1_000));
}
