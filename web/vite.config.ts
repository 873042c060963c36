/** The two entries of the pages. `vite build` makes what browsers load, `vite build --ssr …` what the server renders with. */
import { fileURLToPath } from "node:url";
import { lingui } from "@lingui/vite-plugin";
import react from "@vitejs/plugin-react";
import { defaultClientConditions, defaultServerConditions, defineConfig } from "vite";

const common =
  /node_modules\/(?:react|react-dom|scheduler|zod|@lingui|superjson|copy-anything|is-what|@trpc\/(?:client|server))\/|\/web\/src\/shared\/(?!estimate)|\/(?:client|shared)\/src\/(?!react|subscriptions|step-up|token-|stored-)/;

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
    // The document says what to load ahead; what comes later is small, and all styles are one small file.
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    ...(isSsrBuild
      ? { outDir: "dist/server", rolldownOptions: { input: ["src/render.tsx"] } }
      : {
          outDir: "dist/client",
          manifest: "manifest.json",
          rolldownOptions: {
            input: ["src/auth/hydrate.tsx", "src/app/start.tsx"],
            // What both entries need in one file: many small ones compress worse, by as much as a form weighs.
            output: { codeSplitting: { groups: [{ name: "common", test: common }] } },
          },
        }),
  },
}));
