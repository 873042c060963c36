/** `@countersign/server/sqlite`: SQLite as the database of `createAuth`. */
export { StoreError } from "./store/database.ts";
export type { Database, StoreFailure } from "./store/database.ts";
export { sqlite } from "./store/sqlite.ts";
export type { SqliteOptions } from "./store/sqlite.ts";
