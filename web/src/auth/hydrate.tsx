/** The browser's entry of the auth pages: makes of the document what the server made of it. */
import { setupI18n } from "@lingui/core";
import { hydrateRoot } from "react-dom/client";
import type { Language } from "../shared/languages.ts";
import { App } from "./app.tsx";
import "../shared/base.css";
import { AuthPage } from "./page.ts";

const catalogs = {
  en: () => import("../../locales/en/auth.po"),
  de: () => import("../../locales/de/auth.po"),
} satisfies Record<Language, unknown>;

async function start(root: HTMLElement): Promise<void> {
  const page = AuthPage.parse(JSON.parse(root.dataset.page ?? ""));
  const { messages } = await catalogs[page.language]();
  const i18n = setupI18n({ locale: page.language, messages: { [page.language]: messages } });
  hydrateRoot(root, <App page={page} i18n={i18n} />);
  document.documentElement.dataset.scripts = "on";
  focusFirst(root);
  // A page that the browser kept shows what was so then: who is signed in, and what went wrong.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) location.reload();
  });
}

/** Where there is a keyboard: on a touch screen it would cover half of the page. */
function focusFirst(root: HTMLElement): void {
  if (!matchMedia("(pointer: fine)").matches || (document.activeElement ?? document.body) !== document.body) return;
  const wrong = root.querySelector<HTMLElement>('[aria-invalid="true"], [data-alert]:not(:empty)');
  const empty = [...root.querySelectorAll<HTMLInputElement>("main input:not([type=hidden])")].find(
    ({ value }) => value === "",
  );
  (wrong ?? empty)?.focus();
}

const root = document.getElementById("root");
if (root !== null) await start(root);
