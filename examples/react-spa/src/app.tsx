import { SignedIn, SignedOut, useAuth, useSession } from "@countersign/client/react";
import { Notes } from "./notes.tsx";
import { Sessions } from "./sessions.tsx";
import { SignInForm } from "./sign-in-form.tsx";
import { StepUpDialog } from "./step-up-dialog.tsx";

export function App() {
  return (
    <main>
      <h1>Notes</h1>
      <Starting />
      <SignedOut>
        <SignInForm />
      </SignedOut>
      <SignedIn>
        <Account />
        <Notes />
        <Sessions />
        <StepUpDialog />
      </SignedIn>
    </main>
  );
}

/** Until it is known who is signed in; when that fails, why, and a way to try again. */
function Starting() {
  const auth = useAuth();
  const session = useSession();
  if (session.status !== "starting") return null;
  if (session.error === null) return <p role="status">One moment …</p>;
  return (
    <p role="alert">
      The server cannot be reached.{" "}
      <button type="button" onClick={() => void auth.start()}>
        Try again
      </button>
    </p>
  );
}

function Account() {
  const auth = useAuth();
  const session = useSession();
  if (session.status !== "signed-in") return null;
  return (
    <p>
      Signed in as <b>{session.user.username}</b>.{" "}
      {/* Here it is over at once, whether or not the server hears of it. */}
      <button type="button" onClick={() => void auth.logout().catch(() => {})}>
        Sign out
      </button>
    </p>
  );
}
