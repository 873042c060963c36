/** `@countersign/server/postgres`: PostgreSQL as the database of `createAuth`. */

export type { Database, StoreFailure } from "./store/database.ts";
export { StoreError } from "./store/database.ts";
export type { PostgresOptions } from "./store/postgres.ts";
export { postgres } from "./store/postgres.ts";
