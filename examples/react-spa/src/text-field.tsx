import { useId } from "react";
import type { Field, Refusal } from "./refusal.ts";

interface TextFieldProps {
  readonly name: Field;
  readonly label: string;
  readonly type?: "text" | "password";
  readonly autoComplete: string;
  readonly refusal: Refusal;
}

/** A labelled input, with what is wrong with it below. */
export function TextField({ name, label, type = "text", autoComplete, refusal }: TextFieldProps) {
  const errorId = useId();
  const message = refusal[name];
  return (
    <>
      <label>
        {label}
        <input
          name={name}
          type={type}
          autoComplete={autoComplete}
          aria-invalid={message !== undefined}
          aria-describedby={errorId}
        />
      </label>
      <p id={errorId} className="error">
        {message}
      </p>
    </>
  );
}
