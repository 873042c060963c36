/** Whether as much is tried as `npm run test:attack` and `npm run test:faults` try, and not only what there is time for in every run. */
export const isLong = process.env.COUNTERSIGN_LONG_TESTS === "1";
