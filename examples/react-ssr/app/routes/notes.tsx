import { SignedIn, SignedOut, useAuth, useSession } from "@countersign/client/react";
import type { SubmitEvent } from "react";
import {
  type ActionFunctionArgs,
  type ClientActionFunctionArgs,
  data,
  Form,
  type LoaderFunctionArgs,
  redirectDocument,
  useActionData,
  useLoaderData,
} from "react-router";
import { callerOf } from "../caller.server.ts";

export const meta = () => [{ title: "Your notes" }];

export async function loader(visit: LoaderFunctionArgs) {
  const caller = await callerOf(visit);
  if ((await caller.auth.session()) === null) throw redirectDocument("/login");
  return { notes: await caller.notes.list() };
}

export async function action(visit: ActionFunctionArgs) {
  const caller = await callerOf(visit);
  if ((await caller.auth.session()) === null) throw redirectDocument("/login");
  const fields = await visit.request.formData();
  await caller.notes.create({ text: String(fields.get("text")) });
  return null;
}

export default function NotesPage() {
  return (
    <main>
      {/* Gone at once when somebody signs out, in whichever tab. */}
      <SignedIn>
        <Heading />
        <Notes />
        <SignOut />
      </SignedIn>
      <SignedOut>
        <p role="status">
          You are signed out here, and the server is told as soon as it can be reached. <a href="/login">Sign in</a>
        </p>
      </SignedOut>
    </main>
  );
}

function Heading() {
  const session = useSession();
  return session.status === "signed-in" && <h1>Notes of {session.user.username}</h1>;
}

/** A note that the server did not get stays in its field. */
export async function clientAction({ serverAction }: ClientActionFunctionArgs) {
  try {
    return await serverAction<typeof action>();
  } catch {
    return data("That did not work. Try again.", { status: 503 });
  }
}

function Notes() {
  const { notes } = useLoaderData<typeof loader>();
  const failure = useActionData<typeof clientAction>();
  return (
    <>
      <p role="alert">{failure}</p>
      <ul>
        {notes.map(({ id, text }) => (
          <li key={id}>{text}</li>
        ))}
      </ul>
      {/* A new one after each note, and so an empty one. */}
      <Form method="post" key={notes.length}>
        <label>
          New note <input name="text" required maxLength={1_000} autoComplete="off" />
        </label>{" "}
        <button type="submit">Add</button>
      </Form>
    </>
  );
}

function SignOut() {
  const auth = useAuth();
  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    // In the browser it is the client that signs out: it tells the other tabs, and the server when it can be reached.
    auth.logout().catch(() => {});
  }
  return (
    <form method="post" action="/logout" onSubmit={submit}>
      <button type="submit">Sign out</button>
    </form>
  );
}
