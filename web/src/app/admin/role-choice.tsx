import { Trans } from "@lingui/react/macro";
import { useState } from "react";
import { useApp } from "../use-app.ts";
import styles from "./role-choice.module.css";

/** The roles that an account can have, to choose from: in a form they are the field `roles`, a line each. */
export function RoleChoice({ chosen }: { readonly chosen: readonly string[] }) {
  const { page } = useApp();
  const [roles, setRoles] = useState(chosen);
  // What was declared once and is no more stays until it is taken away.
  const all = [...new Set([...page.roles, ...chosen])];
  return (
    <fieldset className={styles.roles}>
      <legend>
        <Trans>Roles</Trans>
      </legend>
      <input type="hidden" name="roles" value={roles.join("\n")} />
      {all.map((role) => (
        <label key={role}>
          <input
            type="checkbox"
            checked={roles.includes(role)}
            onChange={({ currentTarget: { checked } }) =>
              setRoles(checked ? [...roles, role] : roles.filter((each) => each !== role))
            }
          />{" "}
          {role}
        </label>
      ))}
    </fieldset>
  );
}
