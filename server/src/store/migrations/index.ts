/** Every migration, in order. Add at the end; never change or remove one that was released. */
import { initial } from "./0001-initial.ts";
import { accountLife } from "./0002-account-life.ts";
import type { Migration } from "./migration.ts";

export const migrations: readonly Migration[] = [initial, accountLife];
