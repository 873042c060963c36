import { SignedIn, SignedOut, useAuth, useSession } from "@countersign/client/react";
import { useState } from "react";
import { Notes } from "./notes.tsx";
import { Sessions } from "./sessions.tsx";
import { SignInForm } from "./sign-in-form.tsx";
import { StepUpDialog } from "./step-up-dialog.tsx";

export function App() {
  const [isUnheard, setIsUnheard] = useState(false);
  return (
    <main>
      <h1>Notes</h1>
      <Starting />
      <SignedOut>
        <p role="status">{isUnheard && "You are signed out here. The server is told as soon as it can be reached."}</p>
        <SignInForm />
      </SignedOut>
      <SignedIn>
        <Account
          onSignOut={(heard) =>
            heard.then(
              () => setIsUnheard(false),
              () => setIsUnheard(true),
            )
          }
        />
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

function Account({ onSignOut }: { readonly onSignOut: (heard: Promise<void>) => void }) {
  const auth = useAuth();
  const session = useSession();
  if (session.status !== "signed-in") return null;
  return (
    <p>
      Signed in as <b>{session.user.username}</b>.{" "}
      {/* Here it is over at once, whether or not the server hears of it. */}
      <button type="button" onClick={() => onSignOut(auth.logout())}>
        Sign out
      </button>
    </p>
  );
}
