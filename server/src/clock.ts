/** The machine's clock, for the commands that use the database before `createAuth` has put its parts together. */

// biome-ignore lint/plugin: where there are no deps yet, somebody has to read the clock.
export const now = (): number => Date.now();
