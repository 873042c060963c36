/** A page of the auth entry, the same on the server and in the browser. */
import type { I18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { Trans } from "@lingui/react/macro";
import { Preferences } from "../shared/preferences.tsx";
import { SkipLink } from "../shared/skip-link.tsx";
import styles from "./app.module.css";
import { Brand } from "./brand.tsx";
import type { AuthPage } from "./page.ts";
import { pathOf } from "./paths.ts";
import { Reauth } from "./reauth.tsx";
import { Setup } from "./setup.tsx";
import { SignIn } from "./sign-in.tsx";
import { SignUp } from "./sign-up.tsx";

export function App({ page, i18n }: { readonly page: AuthPage; readonly i18n: I18n }) {
  const { brand } = page;
  return (
    <I18nProvider i18n={i18n}>
      <SkipLink>
        <Trans>Skip to the form</Trans>
      </SkipLink>
      <Brand brand={brand} />
      <main className={styles.main} id="main">
        <Form page={page} />
      </main>
      <footer className={styles.footer}>
        <Preferences appearance={page} back={pathOf(page.name, page.returnTo)} />
      </footer>
    </I18nProvider>
  );
}

function Form({ page }: { readonly page: AuthPage }) {
  switch (page.name) {
    case "sign-in":
      return <SignIn page={page} />;
    case "sign-up":
      return <SignUp page={page} />;
    case "setup":
      return <Setup page={page} />;
    case "reauth":
      return <Reauth page={page} />;
  }
}
