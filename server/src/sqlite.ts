/** `@countersign/server/sqlite`: SQLite as the database of `createAuth`. */

export type { Database, StoreFailure } from "./store/database.ts";
export { StoreError } from "./store/database.ts";
export type { SqliteOptions } from "./store/sqlite.ts";
export { sqlite } from "./store/sqlite.ts";
