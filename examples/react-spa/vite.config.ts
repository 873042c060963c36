import react from "@vitejs/plugin-react";
import { defaultClientConditions, defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  // In this repository our packages come from their source. An application of its own leaves this out.
  resolve: { conditions: ["@countersign/source", ...defaultClientConditions] },
});
