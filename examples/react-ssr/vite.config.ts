import { reactRouter } from "@react-router/dev/vite";
import { defaultClientConditions, defaultServerConditions, defineConfig } from "vite";

// In this repository our packages come from their source. An application of its own leaves out what has to do with it.
const source = "@countersign/source";

export default defineConfig({
  plugins: [reactRouter()],
  resolve: { conditions: [source, ...defaultClientConditions] },
  environments: {
    ssr: {
      resolve: { conditions: [source, ...defaultServerConditions] },
      build: { rolldownOptions: { input: "app/server.ts", external: ["@countersign/server"] } },
    },
  },
});
