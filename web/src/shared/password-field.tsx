import { useLingui } from "@lingui/react/macro";
import { useEffect, useState } from "react";
import button from "./button.module.css";
import styles from "./form.module.css";
import type { FieldState } from "./form.tsx";
import { Strength } from "./strength.tsx";
import { TextField } from "./text-field.tsx";

/** A password, which its person may look at until it is sent. How hard a new one is to guess is said while it is typed. */
export function PasswordField({
  name = "password",
  label,
  hint,
  autoComplete,
  username,
  state,
}: {
  readonly name?: string;
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
  const [typed, setTyped] = useState("");
  const { attempt } = state;
  const isNew = autoComplete === "new-password";
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is hidden whenever the form was sent.
  useEffect(() => setShown(false), [attempt]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only looks on.
    <div onKeyUp={(event) => setCapsLock(event.getModifierState("CapsLock"))} onBlur={() => setCapsLock(false)}>
      {username !== undefined && (
        <input
          className={styles.hidden}
          autoComplete="username"
          defaultValue={username}
          readOnly
          tabIndex={-1}
          aria-hidden
        />
      )}
      <TextField
        name={name}
        type={isShown ? "text" : "password"}
        label={label}
        {...(hint !== undefined && { hint })}
        {...(isNew && { onInput: (event) => setTyped(event.currentTarget.value) })}
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
      {isNew && <Strength password={typed} {...(username !== undefined && { username })} />}
      <p role="status" className={styles.hint}>
        {hasCapsLock && t`Caps Lock is on.`}
      </p>
    </div>
  );
}
