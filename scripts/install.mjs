/** Installs the workspace's dependencies with pnpm, which npx fetches: npm alone is enough to begin. */
import { fingerprint, manifests, readStamp, writeStamp } from "./fingerprint.mjs";
import { run } from "./process.mjs";
import { step } from "./step.mjs";

/** Installs when the lockfile or a manifest changed since the last time; answers whether all is there. */
export async function ensureInstalled() {
  const wanted = fingerprint(["pnpm-lock.yaml", "pnpm-workspace.yaml", ...manifests()]);
  if (readStamp("installed") === wanted) return true;
  const installed = await step("Installing packages", install, {
    hint: "If pnpm-lock.yaml does not match a package.json, run `npx pnpm@12 install` and commit the lockfile.",
  });
  if (installed) writeStamp("installed", wanted);
  return installed;
}

function install() {
  const args = ["--yes", "pnpm@12", "install", "--frozen-lockfile"];
  // On Windows npx is a script, and scripts need a shell.
  return run("npx", args, { stream: false, shell: process.platform === "win32" });
}
