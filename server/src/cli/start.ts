#!/usr/bin/env node
/** The built command's beginning: what the engine has compiled once it reads at the next start. */
import module from "node:module";
import { fileURLToPath } from "node:url";

// Beside the program: whoever could change the one could change the other. Where nothing can be written, it is compiled each time.
module.enableCompileCache?.(fileURLToPath(new URL(".cache", import.meta.url)));
await import("./main.ts");
