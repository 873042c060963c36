import type { ReactElement } from "react";

/**
 * A name for a sentence that is a message: `const name = nameWithin(username)`, and `<Trans>Signed in as {name}</Trans>`. An element,
 * since text that is put into a message is read for tags, and a name may look like one; of a direction of its own.
 */
export function nameWithin(username: string): ReactElement {
  return <bdi>{username}</bdi>;
}
