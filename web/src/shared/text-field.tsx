import { type InputHTMLAttributes, type ReactNode, useId } from "react";
import styles from "./form.module.css";
import type { FieldState } from "./form.tsx";

type InputProps = Pick<
  InputHTMLAttributes<HTMLInputElement>,
  "type" | "autoComplete" | "required" | "defaultValue" | "onInput"
>;

/** A field with its label, a hint, and what is wrong with it. What is typed stays in the input: there is no state to lose it from. */
export function TextField({
  name,
  label,
  hint,
  state,
  after,
  ...input
}: InputProps & {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly state: FieldState;
  readonly after?: ReactNode;
}) {
  const id = useId();
  const error = state.errors[name];
  const described = [error !== undefined && `${id}-error`, hint !== undefined && `${id}-hint`]
    .filter(Boolean)
    .join(" ");
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      {hint !== undefined && (
        <p id={`${id}-hint`} className={styles.hint}>
          {hint}
        </p>
      )}
      <div className={styles.input}>
        <input
          {...input}
          id={id}
          name={name}
          dir="auto"
          spellCheck={false}
          autoCapitalize="none"
          autoCorrect="off"
          aria-invalid={error === undefined ? undefined : true}
          aria-describedby={described === "" ? undefined : described}
        />
        {after}
      </div>
      <p id={`${id}-error`} className={styles.error}>
        {error}
      </p>
    </div>
  );
}
