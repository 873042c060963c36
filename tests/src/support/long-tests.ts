/** Whether as much is tried as `npm run test:attack` and `npm run test:faults` try, and not only what there is time for in every run. */
export const isLong = process.env.COUNTERSIGN_LONG_TESTS === "1";

/** Where a fault has little to do with the database, one of them has to do: the one that is a process of its own. */
export const databases = isLong ? (["sqlite", "postgres"] as const) : (["postgres"] as const);
