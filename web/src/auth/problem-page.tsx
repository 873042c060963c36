/** A page that could not be made, as the server says it. */
import type { Reason } from "@countersign/shared";
import type { I18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { Trans } from "@lingui/react/macro";
import type { Appearance } from "../shared/appearance.ts";
import styles from "./app.module.css";
import { Brand } from "./brand.tsx";

export interface ProblemPage extends Appearance {
  /** `null` where it is none that anybody could act on. */
  readonly reason: Reason | null;
  /** What the people who run the server find it by. */
  readonly requestId: string;
  /** Where to try again. */
  readonly again: string;
}

export function Problem({ page, i18n }: { readonly page: ProblemPage; readonly i18n: I18n }) {
  return (
    <I18nProvider i18n={i18n}>
      <Brand brand={page.brand} />
      <main className={styles.main} id="main">
        <h1>
          <Trans>That did not work</Trans>
        </h1>
        <Sentence page={page} />
        <p>
          <a href={page.again}>
            <Trans>Try again</Trans>
          </a>
        </p>
      </main>
    </I18nProvider>
  );
}

function Sentence({ page: { reason, requestId } }: { readonly page: ProblemPage }) {
  switch (reason) {
    case "UNAVAILABLE":
    case "BUSY":
      return (
        <p>
          <Trans>The server cannot answer at this moment. Nothing was changed, and nothing is lost.</Trans>
        </p>
      );
    case "ORIGIN_NOT_ALLOWED":
      return (
        <p>
          <Trans>This request came from the page of another website, so nothing was done.</Trans>
        </p>
      );
    default:
      return (
        <p>
          <Trans>
            Something went wrong on the server. If it happens again, tell the people who run it this number:{" "}
            <code>{requestId}</code>
          </Trans>
        </p>
      );
  }
}
