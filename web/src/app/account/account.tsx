import { useSession } from "@countersign/client/react";
import { Trans } from "@lingui/react/macro";
import { Devices } from "./devices.tsx";

/** A person's own account. */
export function Account() {
  const session = useSession();
  if (session.status !== "signed-in") return null;
  const { username, email, roles } = session.user;
  return (
    <>
      <h1>
        <Trans>Your account</Trans>
      </h1>
      <dl>
        <dt>
          <Trans>Username</Trans>
        </dt>
        <dd>
          <bdi>{username}</bdi>
        </dd>
        <dt>
          <Trans>E-mail address</Trans>
        </dt>
        <dd>{email === null ? <Trans>None</Trans> : <bdi>{email}</bdi>}</dd>
        {roles.length > 0 && (
          <>
            <dt>
              <Trans>Roles</Trans>
            </dt>
            <dd>{roles.join(", ")}</dd>
          </>
        )}
      </dl>
      <Devices />
    </>
  );
}
