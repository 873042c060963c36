import type { ReactNode } from "react";
import styles from "./skip-link.module.css";

/** The first thing that a keyboard comes to: past what is on every page. */
export function SkipLink({ children }: { readonly children: ReactNode }) {
  return (
    <a className={styles.skip} href="#main">
      {children}
    </a>
  );
}
