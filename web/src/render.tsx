/// <reference path="./assets.d.ts" />
/** The server's entry: whole documents. */
import { type I18n, type MessageDescriptor, type Messages, setupI18n } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import { I18nProvider } from "@lingui/react";
import { Trans } from "@lingui/react/macro";
import type { ReactNode } from "react";
import { renderToStaticMarkup, renderToString } from "react-dom/server";
import { messages as germanApp } from "../locales/de/app.po";
import { messages as germanAuth } from "../locales/de/auth.po";
import { messages as englishApp } from "../locales/en/app.po";
import { messages as englishAuth } from "../locales/en/auth.po";
import type { AppPage } from "./app/page.ts";
import { App } from "./auth/app.tsx";
import type { AuthPage } from "./auth/page.ts";
import { Problem, type ProblemPage } from "./auth/problem-page.tsx";
import type { Appearance } from "./shared/appearance.ts";
import { type Assets, Document } from "./shared/document.tsx";
import type { Language } from "./shared/languages.ts";

export { languageNames } from "./shared/languages.ts";
export { purposes } from "./shared/purposes.ts";
export type { Appearance, AppPage, Assets, AuthPage, Language, ProblemPage };

const catalogs: Readonly<Record<Language, Messages>> = {
  en: { ...englishAuth, ...englishApp },
  de: { ...germanAuth, ...germanApp },
};

const titles = {
  "sign-in": msg`Sign in`,
  "sign-up": msg`Sign up`,
  setup: msg`Set up this server`,
  reauth: msg`Confirm that it is you`,
} satisfies Record<AuthPage["name"], MessageDescriptor>;

/** A page of the auth entry, whole before any script runs. */
export function renderAuthPage(page: AuthPage, assets: Assets): string {
  const i18n = i18nOf(page.language);
  const name = i18n._(titles[page.name]);
  const title = `${name} – ${page.brand.name}`;
  return render(page, assets, {
    // What went wrong is said first, where a screen reader begins.
    title: page.failure === null ? title : i18n._(msg`Error: ${title}`),
    content: <App page={page} i18n={i18n} />,
  });
}

/** The document of the app entry, which its script fills. */
export function renderAppPage(page: AppPage, assets: Assets): string {
  const i18n = i18nOf(page.language);
  return render(page, assets, {
    title: page.brand.name,
    content: (
      <I18nProvider i18n={i18n}>
        <noscript>
          <Trans>This page needs JavaScript.</Trans>
        </noscript>
      </I18nProvider>
    ),
  });
}

/** A page that says that there is none: it needs nothing but its style sheet. */
export function renderProblemPage(page: ProblemPage, assets: Assets): string {
  const i18n = i18nOf(page.language);
  const title = `${i18n._(msg`That did not work`)} – ${page.brand.name}`;
  return render(
    page,
    { ...assets, script: null, preloads: [] },
    { title, content: <Problem page={page} i18n={i18n} /> },
  );
}

function i18nOf(language: Language): I18n {
  return setupI18n({ locale: language, messages: { [language]: catalogs[language] } });
}

function render(
  page: Appearance,
  assets: Assets,
  { title, content }: { readonly title: string; readonly content: ReactNode },
): string {
  const document = <Document page={page} title={title} assets={assets} content={renderToString(content)} />;
  return `<!doctype html>${renderToStaticMarkup(document)}`;
}
