import { useAuth, useSession } from "@countersign/client/react";
import { Trans, useLingui } from "@lingui/react/macro";
import { Link, useLocation } from "@tanstack/react-router";
import type { ReactNode } from "react";
import button from "../shared/button.module.css";
import { Preferences } from "../shared/preferences.tsx";
import { SkipLink } from "../shared/skip-link.tsx";
import styles from "./layout.module.css";
import { useApp } from "./use-app.ts";

/** What is around every page. */
export function Layout({ children }: { readonly children: ReactNode }) {
  const { t } = useLingui();
  const { page } = useApp();
  const auth = useAuth();
  const session = useSession();
  const location = useLocation();
  const isAdmin = session.status === "signed-in" && session.user.roles.includes("admin");
  return (
    <>
      <SkipLink>
        <Trans>Skip to the page</Trans>
      </SkipLink>
      <header className={styles.header}>
        {page.brand.logo !== null && <img className={styles.logo} src={page.brand.logo} alt="" height={32} />}
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
      <div className={styles.body}>
        <nav className={styles.nav} aria-label={t`Pages`}>
          <ul>
            <li>
              <Link to="/account" activeOptions={{ exact: true }}>
                <Trans>Your account</Trans>
              </Link>
            </li>
            <li>
              <Link to="/account/password">
                <Trans>Password</Trans>
              </Link>
            </li>
            <li>
              <Link to="/account/security-log">
                <Trans>Security log</Trans>
              </Link>
            </li>
            <li>
              <Link to="/account/delete">
                <Trans>Delete your account</Trans>
              </Link>
            </li>
          </ul>
          {isAdmin && (
            <>
              <h2 id="administration">
                <Trans>Administration</Trans>
              </h2>
              <ul aria-labelledby="administration">
                <li>
                  <Link to="/admin/accounts" search={{}}>
                    <Trans>Accounts</Trans>
                  </Link>
                </li>
                <li>
                  <Link to="/admin/events" search={{}}>
                    <Trans>Security events</Trans>
                  </Link>
                </li>
                <li>
                  <Link to="/admin/keys">
                    <Trans>Signing keys</Trans>
                  </Link>
                </li>
                <li>
                  <Link to="/admin/health">
                    <Trans>Health</Trans>
                  </Link>
                </li>
                <li>
                  <Link to="/developer">
                    <Trans>For developers</Trans>
                  </Link>
                </li>
              </ul>
            </>
          )}
        </nav>
        <main className={styles.main} id="main">
          {children}
        </main>
      </div>
      <footer className={styles.footer}>
        <Preferences appearance={page} back={location.href} />
      </footer>
    </>
  );
}
