import { type AccessRow, accessMatrix } from "../trpc/access.ts";
import { UsageError } from "./usage-error.ts";
