/** The two entries of the pages. `vite build` makes what browsers load, `vite build --ssr …` what the server renders with. */
import { fileURLToPath } from "node:url";
import { lingui } from "@lingui/vite-plugin";
import react from "@vitejs/plugin-react";
import { defaultClientConditions, defaultServerConditions, defineConfig } from "vite";

const fromSource = "@countersign/source";

export default defineConfig(({ isSsrBuild }) => ({
  plugins: [
    react(),
    lingui({ macroTransform: true, configPath: fileURLToPath(new URL("lingui.config.ts", import.meta.url)) }),
  ],
  base: "/pages/",
  resolve: { conditions: [fromSource, ...defaultClientConditions] },
  ssr: { noExternal: true, resolve: { conditions: [fromSource, ...defaultServerConditions] } },
  build: {
    target: "es2022",
    // Every browser of that age has it, and the policy of the pages allows no script of their own making.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    ...(isSsrBuild
      ? { outDir: "dist/server", rolldownOptions: { input: ["src/render.tsx"] } }
      : {
          outDir: "dist/client",
          manifest: "manifest.json",
          rolldownOptions: { input: ["src/auth/hydrate.tsx", "src/app/start.tsx"] },
        }),
  },
}));
