/** The browser's entry of the pages behind the sign-in. */
import { AuthProvider } from "@countersign/client/react";
import { setupI18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import type { Language } from "../shared/languages.ts";
import "../shared/base.css";
import { createAppClient } from "./client.ts";
import { AppPage } from "./page.ts";
import { createAppRouter } from "./router.tsx";

const catalogs = {
  en: () => import("../../locales/en/app.po"),
  de: () => import("../../locales/de/app.po"),
} satisfies Record<Language, unknown>;

async function start(root: HTMLElement): Promise<void> {
  const page = AppPage.parse(JSON.parse(root.dataset.page ?? ""));
  const { messages } = await catalogs[page.language]();
  const i18n = setupI18n({ locale: page.language, messages: { [page.language]: messages } });
  const client = createAppClient(page);
  document.documentElement.dataset.scripts = "on";
  const router = createAppRouter({ page, client });
  createRoot(root).render(
    <StrictMode>
      <I18nProvider i18n={i18n}>
        <QueryClientProvider client={client.queryClient}>
          <AuthProvider client={client.auth} queryClient={client.queryClient}>
            <RouterProvider router={router} />
          </AuthProvider>
        </QueryClientProvider>
      </I18nProvider>
    </StrictMode>,
  );
}

// A page that the browser kept waits for what will never come, and shows what was so then.
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) location.reload();
});

const root = document.getElementById("root");
if (root !== null) await start(root);
