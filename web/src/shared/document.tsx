import type { Appearance } from "./appearance.ts";
import { directionOf } from "./languages.ts";

/** The addresses of what a page loads, all of this server. */
export interface Assets {
  /** `null` for a page that needs none. */
  readonly script: string | null;
  /** What the script loads at once, in this language. */
  readonly preloads: readonly string[];
  readonly styles: readonly string[];
  readonly icon: string;
}

/** @param props.content What is rendered inside, as HTML. */
export function Document({
  page,
  title,
  assets,
  content,
}: {
  readonly page: Appearance;
  readonly title: string;
  readonly assets: Assets;
  readonly content: string;
}) {
  const { language, scheme } = page;
  return (
    <html lang={language} dir={directionOf(language)} data-scheme={scheme ?? undefined}>
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content={scheme ?? "light dark"} />
        <meta name="robots" content="noindex" />
        <title>{title}</title>
        <link rel="icon" href={assets.icon} type="image/svg+xml" />
        {assets.styles.map((address) => (
          <link key={address} rel="stylesheet" href={address} />
        ))}
        {assets.preloads.map((address) => (
          <link key={address} rel="modulepreload" href={address} />
        ))}
        {assets.script !== null && <script type="module" src={assets.script} />}
      </head>
      <body>
        {/* biome-ignore lint/security/noDangerouslySetInnerHtml: it is what React has just rendered. */}
        <div id="root" data-page={JSON.stringify(page)} dangerouslySetInnerHTML={{ __html: content }} />
      </body>
    </html>
  );
}
