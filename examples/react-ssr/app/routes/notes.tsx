import { SignedIn, useAuth, useSession } from "@countersign/client/react";
import {
  type ActionFunctionArgs,
  Form,
  type LoaderFunctionArgs,
  redirectDocument,
  useLoaderData,
  useRevalidator,
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
  return caller.notes.create({ text: String(fields.get("text")) });
}

export default function NotesPage() {
  return (
    // Gone at once when somebody signs out, in whichever tab.
    <SignedIn>
      <main>
        <Heading />
        <Notes />
        <SignOut />
      </main>
    </SignedIn>
  );
}

function Heading() {
  const session = useSession();
  return session.status === "signed-in" && <h1>Notes of {session.user.username}</h1>;
}

function Notes() {
  const { notes } = useLoaderData<typeof loader>();
  return (
    <>
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
  const { revalidate } = useRevalidator();
  return (
    <button
      type="button"
      onClick={() =>
        void auth
          .logout()
          .catch(() => {})
          .finally(revalidate)
      }
    >
      Sign out
    </button>
  );
}
