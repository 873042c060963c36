import { useAuth } from "@countersign/client/react";
import { useState } from "react";
import { TextField } from "./text-field.tsx";
import { useSubmit } from "./use-submit.ts";

/** Signs in, or makes an account. */
export function SignInForm() {
  const auth = useAuth();
  const [isNew, setIsNew] = useState(false);
  const { isSending, refusal, forget, onSubmit } = useSubmit((fields) => {
    const input = { username: String(fields.get("username")), password: String(fields.get("password")) };
    return isNew ? auth.register(input) : auth.login(input);
  });

  return (
    <form onSubmit={onSubmit} noValidate>
      <h2>{isNew ? "Make an account" : "Sign in"}</h2>
      <p role="status">{isSending && "One moment …"}</p>
      <p role="alert" tabIndex={-1}>
        {refusal.form}
      </p>
      <TextField name="username" label="Username" autoComplete="username" refusal={refusal} />
      <TextField
        name="password"
        label="Password"
        type="password"
        autoComplete={isNew ? "new-password" : "current-password"}
        refusal={refusal}
      />
      <button type="submit" aria-disabled={isSending}>
        {isNew ? "Register" : "Sign in"}
      </button>
      <button
        type="button"
        onClick={() => {
          setIsNew(!isNew);
          forget();
        }}
      >
        {isNew ? "I have an account" : "Make an account"}
      </button>
    </form>
  );
}
