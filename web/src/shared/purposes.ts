/** What a person is asked for their password once more for: the page that asks has words for each. */
export const purposes = ["profile", "deletion", "accounts", "keys"] as const;

export type Purpose = (typeof purposes)[number];
