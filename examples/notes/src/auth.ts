import { createAuth, readEnvironment } from "@countersign/server";

/** The sign-in of this application: what its tokens and accounts may do, and the rest from the environment. */
export const auth = createAuth({
  ...readEnvironment().auth,
  scopes: {
    "notes:read": "Read your notes",
    "notes:write": "Write and remove your notes",
    "notes:moderate": "Remove the notes of others",
  },
  roles: {
    moderator: { description: "Keeps the place tidy", scopes: ["notes:moderate"] },
  },
});
