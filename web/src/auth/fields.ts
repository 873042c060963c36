/** The fields of the forms, by the names that they have in a form post and in the input of the procedure. */
export interface AuthFields {
  readonly username: string;
  readonly email: string;
  readonly password: string;
  readonly code: string;
}

export type FieldName = keyof AuthFields;

const names: readonly FieldName[] = ["username", "email", "password", "code"];

/** What is in a form. It is read when the form is sent: what a password manager fills in tells no script. */
export function readFields(form: HTMLFormElement): AuthFields {
  const data = new FormData(form);
  const textOf = (name: FieldName) => {
    const value = data.get(name);
    return typeof value === "string" ? value : "";
  };
  return Object.fromEntries(names.map((name) => [name, textOf(name)])) as Record<FieldName, string>;
}
