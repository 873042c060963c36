import { isAuthError } from "@countersign/shared";
import { CommandError } from "./errors.ts";
import type { AuthOption } from "./with-auth.ts";

/** Does work that names roles. Where the application's own are not known, a refusal says how to make them known. */
export async function withKnownRoles<T>({ auth }: AuthOption, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (auth !== undefined || !isAboutRoles(error)) throw error;
    throw new CommandError(
      "This command knows only the role admin. To use the roles of your application, name its auth: --auth ./src/auth.ts#auth",
    );
  }
}

function isAboutRoles(error: unknown): boolean {
  if (!isAuthError(error) || error.data.reason !== "BAD_REQUEST") return false;
  return error.data.details.issues.some(({ path }) => path[0] === "roles");
}
