import { useAuth, useSession } from "@countersign/client/react";
import { Trans } from "@lingui/react/macro";
import { useRouteContext } from "@tanstack/react-router";
import type { ReactNode } from "react";
import button from "../shared/button.module.css";
import { SkipLink } from "../shared/skip-link.tsx";
import styles from "./layout.module.css";

/** What is around every page. */
export function Layout({ children }: { readonly children: ReactNode }) {
  const { page } = useRouteContext({ from: "__root__" });
  const auth = useAuth();
  const session = useSession();
  return (
    <>
      <SkipLink>
        <Trans>Skip to the page</Trans>
      </SkipLink>
      <header className={styles.header}>
        <span className={styles.brand}>{page.brand.name}</span>
        {session.status === "signed-in" && (
          <span>
            <bdi>{session.user.username}</bdi>
          </span>
        )}
        {/* Here it is over at once, whether or not the server is reached: the client tells it as soon as it can. */}
        <button type="button" className={button.quiet} onClick={() => void auth.logout().catch(() => {})}>
          <Trans>Sign out</Trans>
        </button>
      </header>
      <main className={styles.main} id="main">
        {children}
      </main>
    </>
  );
}
