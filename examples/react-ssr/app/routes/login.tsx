import { isAuthError } from "@countersign/client";
import { useAuth } from "@countersign/client/react";
import { type SubmitEvent, useState } from "react";
import { type ActionFunctionArgs, type LoaderFunctionArgs, redirect, useActionData } from "react-router";
import { callerOf } from "../caller.server.ts";

export const meta = () => [{ title: "Sign in" }];

export async function loader(visit: LoaderFunctionArgs) {
  const caller = await callerOf(visit);
  if ((await caller.auth.session()) !== null) throw redirect("/");
  return null;
}

/** The form of a page whose script is not there yet. */
export async function action(visit: ActionFunctionArgs) {
  const headers = new Headers();
  const { cookie } = (await callerOf(visit, headers)).auth;
  const { isNew, input } = read(await visit.request.formData());
  try {
    await (isNew ? cookie.register(input) : cookie.login(input));
    return redirect("/", { headers });
  } catch (error) {
    return sentenceFor(error);
  }
}

export default function LoginPage() {
  const auth = useAuth();
  const [refusal, setRefusal] = useState(useActionData<typeof action>());

  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const { isNew, input } = read(new FormData(event.currentTarget, event.submitter));
    setRefusal(undefined);
    try {
      // In the browser it is the client that signs in: it tells the other tabs, and `root.tsx` asks for the next page.
      await (isNew ? auth.register(input) : auth.login(input));
    } catch (error) {
      setRefusal(sentenceFor(error));
    }
  }

  return (
    <main>
      <h1>Sign in</h1>
      <form method="post" onSubmit={(event) => void submit(event)}>
        <p role="alert">{refusal}</p>
        <p>
          <label>
            Username <input name="username" autoComplete="username" required />
          </label>
        </p>
        <p>
          <label>
            Password <input name="password" type="password" autoComplete="current-password" required />
          </label>
        </p>
        <button type="submit">Sign in</button>{" "}
        <button type="submit" name="new" value="yes">
          Make an account
        </button>
      </form>
    </main>
  );
}

function read(fields: FormData) {
  const input = { username: String(fields.get("username")), password: String(fields.get("password")) };
  return { isNew: fields.has("new"), input };
}

function sentenceFor(error: unknown): string {
  // On the server, what was refused is the cause of tRPC's own error.
  const refusal = error instanceof Error && isAuthError(error.cause) ? error.cause : error;
  return isAuthError(refusal) ? refusal.message : "That did not work. Try again.";
}
