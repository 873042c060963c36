import { useLingui } from "@lingui/react/macro";
import type { FieldState } from "./form.tsx";
import { TextField } from "./text-field.tsx";

/**
 * What an account is found by.
 *
 * @param props.isOwn Whether it is the account of whoever types, which their browser may fill in.
 */
export function NameFields({
  username = "",
  email = "",
  isOwn = true,
  state,
}: {
  readonly username?: string;
  readonly email?: string;
  readonly isOwn?: boolean;
  readonly state: FieldState;
}) {
  const { t } = useLingui();
  return (
    <>
      <TextField
        name="username"
        label={t`Username`}
        autoComplete={isOwn ? "username" : "off"}
        required
        defaultValue={username}
        state={state}
      />
      <TextField
        name="email"
        type="email"
        label={t`E-mail address (may be left out)`}
        autoComplete={isOwn ? "email" : "off"}
        defaultValue={email}
        state={state}
      />
    </>
  );
}
