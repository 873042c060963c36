/** What a refusal says to the person at the form, and at which field. */
import { isAuthError } from "@countersign/client";

export type Field = "username" | "password";

/** A sentence for each field that is wrong, and one for the form as a whole. */
export type Refusal = Partial<Record<Field | "form", string>>;

export function refusalOf(error: unknown): Refusal {
  // What has no reason did not come from our server.
  if (!isAuthError(error)) return { form: "The server cannot be reached. Are you online?" };
  switch (error.data.reason) {
    case "BAD_REQUEST":
      return Object.fromEntries(error.data.details.issues.map(({ path, message }) => [fieldAt(path), message]));
    case "WEAK_PASSWORD":
      return { password: error.message };
    case "USERNAME_TAKEN":
      return { username: error.message };
    case "RATE_LIMITED":
      return { form: `Too many attempts. Try again in ${inWords(error.data.details.retryAfter)}.` };
    default:
      return { form: error.message };
  }
}

function fieldAt([name]: readonly (string | number)[]): Field | "form" {
  return name === "username" || name === "password" ? name : "form";
}

function inWords(seconds: number): string {
  const [amount, unit] = seconds < 90 ? [seconds, "second"] : [Math.ceil(seconds / 60), "minute"];
  return new Intl.NumberFormat("en", { style: "unit", unit, unitDisplay: "long" }).format(amount);
}
