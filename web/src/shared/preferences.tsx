import { useLingui } from "@lingui/react/macro";
import type { Appearance } from "./appearance.ts";
import { languageNames, languages } from "./languages.ts";
import styles from "./preferences.module.css";

/**
 * How a person is shown the pages: in which language, and in which colours. Form posts, since they change what this browser is shown
 * from now on, and work without scripts.
 *
 * @param props.back The page that this one is.
 */
export function Preferences({
  appearance: { language: chosen, scheme: chosenScheme },
  back,
}: {
  readonly appearance: Pick<Appearance, "language" | "scheme">;
  readonly back: string;
}) {
  const { t } = useLingui();
  const schemes = [
    { scheme: null, name: t`As the system` },
    { scheme: "light", name: t`Light` },
    { scheme: "dark", name: t`Dark` },
  ] as const;
  return (
    <div className={styles.preferences}>
      <form className={styles.choices} method="post" action="/preferences" aria-label={t`Language`}>
        <input type="hidden" name="back" value={back} />
        {languageNames.map((language) => (
          <button
            key={language}
            className={styles.choice}
            type="submit"
            name="language"
            value={language}
            lang={language}
            aria-current={language === chosen ? "true" : undefined}
          >
            {languages[language]}
          </button>
        ))}
      </form>
      <form className={styles.choices} method="post" action="/preferences" aria-label={t`Colours`}>
        <input type="hidden" name="back" value={back} />
        {schemes.map(({ scheme, name }) => (
          <button
            key={name}
            className={styles.choice}
            type="submit"
            name="scheme"
            value={scheme ?? ""}
            aria-current={scheme === chosenScheme ? "true" : undefined}
          >
            {name}
          </button>
        ))}
      </form>
    </div>
  );
}
