import { useLingui } from "@lingui/react/macro";
import { useEffect, useState } from "react";
import button from "../shared/button.module.css";
import type { FieldState } from "./auth-form.tsx";
import styles from "./form.module.css";
import { TextField } from "./text-field.tsx";

/** A password, which its person may look at until it is sent. */
export function PasswordField({
  label,
  hint,
  autoComplete,
  username,
  state,
}: {
  readonly label: string;
  readonly hint?: string;
  readonly autoComplete: "current-password" | "new-password";
  /** Whose it is, where the form does not ask: password managers look for it. */
  readonly username?: string;
  readonly state: FieldState;
}) {
  const { t } = useLingui();
  const [isShown, setShown] = useState(false);
  const [hasCapsLock, setCapsLock] = useState(false);
  const { attempt } = state;
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is hidden whenever the form was sent.
  useEffect(() => setShown(false), [attempt]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only looks on.
    <div onKeyUp={(event) => setCapsLock(event.getModifierState("CapsLock"))} onBlur={() => setCapsLock(false)}>
      {username !== undefined && (
        <input className={styles.hidden} autoComplete="username" value={username} readOnly tabIndex={-1} aria-hidden />
      )}
      <TextField
        name="password"
        type={isShown ? "text" : "password"}
        label={label}
        {...(hint !== undefined && { hint })}
        autoComplete={autoComplete}
        required
        state={state}
        after={
          <button
            type="button"
            className={`${button.quiet} ${styles.reveal}`}
            aria-label={isShown ? t`Hide password` : t`Show password`}
            onClick={() => setShown(!isShown)}
          >
            {isShown ? t`Hide` : t`Show`}
          </button>
        }
      />
      <p role="status" className={styles.hint}>
        {hasCapsLock && t`Caps Lock is on.`}
      </p>
    </div>
  );
}
