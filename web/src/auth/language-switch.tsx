import { useLingui } from "@lingui/react/macro";
import { languageNames, languages } from "../shared/languages.ts";
import styles from "./app.module.css";
import type { AuthPage } from "./page.ts";
import { pathOf } from "./paths.ts";

/** A form post, since it changes what this browser is shown from now on, and works without scripts. */
export function LanguageSwitch({ page }: { readonly page: AuthPage }) {
  const { t } = useLingui();
  return (
    <form className={styles.languages} method="post" action="/preferences" aria-label={t`Language`}>
      <input type="hidden" name="back" value={pathOf(page.name, page.returnTo)} />
      {languageNames.map((language) => (
        <button
          key={language}
          className={styles.language}
          type="submit"
          name="language"
          value={language}
          lang={language}
          aria-current={language === page.language ? "true" : undefined}
        >
          {languages[language]}
        </button>
      ))}
    </form>
  );
}
