import { defineConfig } from "@lingui/conf";
import { formatter } from "@lingui/format-po";

export default defineConfig({
  sourceLocale: "en",
  locales: ["en", "de"],
  catalogs: [
    {
      path: "<rootDir>/locales/{locale}/auth",
      include: ["<rootDir>/src/auth", "<rootDir>/src/shared", "<rootDir>/src/render.tsx"],
    },
    { path: "<rootDir>/locales/{locale}/app", include: ["<rootDir>/src/app", "<rootDir>/src/shared"] },
  ],
  format: formatter({ lineNumbers: false }),
});
