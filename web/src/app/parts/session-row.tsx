import type { Session } from "@countersign/shared/schemas";
import { Trans } from "@lingui/react/macro";
import type { ReactNode } from "react";
import styles from "./page.module.css";
import { Time } from "./time.tsx";

/** One sign-in on one device, in a list of them; `children` is what can be done to it. */
export function SessionRow({
  session: { createdAt, lastUsedAt, address, current },
  name,
  children,
}: {
  readonly session: Session;
  readonly name: string;
  readonly children: ReactNode;
}) {
  return (
    <li className={styles.row}>
      <strong>
        <bdi>{name}</bdi>
      </strong>
      {current && (
        <span className={styles.tag}>
          <Trans>This device</Trans>
        </span>
      )}
      <span className={styles.details}>
        <Trans>
          Signed in <Time at={createdAt} />, last used <Time at={lastUsedAt} />
        </Trans>
        {address !== null && (
          <>
            {" · "}
            <bdi>{address}</bdi>
          </>
        )}
      </span>
      {children}
    </li>
  );
}
