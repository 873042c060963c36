import { useSession } from "@countersign/client/react";
import { Trans, useLingui } from "@lingui/react/macro";
import { Outlet } from "@tanstack/react-router";
import { nameWithin } from "../shared/name-within.tsx";
import { Title } from "./parts/title.tsx";

/** What is for administrators: to everyone else it says who they are, and what they lack. */
export function ForAdministrators() {
  const { t } = useLingui();
  const session = useSession();
  if (session.status !== "signed-in") return null;
  const { username, roles } = session.user;
  if (roles.includes("admin")) return <Outlet />;
  const name = nameWithin(username);
  return (
    <>
      <Title text={t`This is for administrators`} />
      <p>
        <Trans>
          You are signed in as {name}, who does not have the role “admin”. Ask an administrator for it, or sign out and
          sign in as somebody who has it.
        </Trans>
      </p>
    </>
  );
}
