/** Fingerprints of files, and stamps that remember them, so that work is done again only when something changed. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./process.mjs";

/**
 * A hash of the names and contents of files and folders; a path that does not exist counts as empty.
 *
 * @param {string[]} paths relative to the workspace
 */
export function fingerprint(paths) {
  const hash = createHash("sha256");
  for (const path of paths.flatMap(filesOf))
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update("\0");
  return hash.digest("hex");
}

/**
 * The manifests of the workspace's packages.
 *
 * @returns {string[]}
 */
export function manifests() {
  const folders = readdirSync(root, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && entry.name !== "node_modules",
  );
  const nested = readdirSync(join(root, "examples")).map((name) => `examples/${name}`);
  return ["", ...folders.map(({ name }) => name), ...nested]
    .map((folder) => join(folder, "package.json"))
    .filter(exists);
}

/** @param {string} name */
export function readStamp(name) {
  return exists(stampPath(name)) ? readFileSync(join(root, stampPath(name)), "utf8") : null;
}

/**
 * @param {string} name
 * @param {string} content
 */
export function writeStamp(name, content) {
  mkdirSync(dirname(join(root, stampPath(name))), { recursive: true });
  writeFileSync(join(root, stampPath(name)), content);
}

/** @param {string} path */
export function exists(path) {
  return statSync(join(root, path), { throwIfNoEntry: false }) !== undefined;
}

/** @param {string} name */
const stampPath = (name) => `node_modules/.cache/countersign/${name}`;

/**
 * @param {string} path
 * @returns {string[]}
 */
function filesOf(path) {
  const found = statSync(join(root, path), { throwIfNoEntry: false });
  if (found === undefined) return [];
  if (!found.isDirectory()) return [path];
  return readdirSync(join(root, path))
    .sort()
    .flatMap((name) => filesOf(`${path}/${name}`));
}
