/** A page that suspends above and below the provider, in strict mode, and asks for what is the person's own. */
import { createAuthClient } from "@countersign/client";
import { AuthProvider, SignedIn, SignedOut, useSession } from "@countersign/client/react";
import { QueryClient, QueryClientProvider, useSuspenseQuery } from "@tanstack/react-query";
import { StrictMode, Suspense } from "react";
import { createRoot } from "react-dom/client";
import type { TestRouter } from "../support/test-router.ts";

const auth = createAuthClient<TestRouter>({ url: `${location.origin}/trpc`, storage: "cookie" });
const queryClient = new QueryClient();
Object.assign(window, { page: { auth } });

function Name() {
  const { data } = useSuspenseQuery({ queryKey: ["whoami"], queryFn: () => auth.trpc.whoami.query() });
  return <h1>{data.username}</h1>;
}

function Greeting() {
  const { data } = useSuspenseQuery({ queryKey: ["ping"], queryFn: () => auth.trpc.ping.query() });
  return <p>{data}</p>;
}

function Status() {
  return <p role="status">{useSession().status}</p>;
}

createRoot(document.body.appendChild(document.createElement("main"))).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <Suspense fallback={<p>One moment …</p>}>
        <Greeting />
        <AuthProvider client={auth} queryClient={queryClient}>
          <Status />
          <Suspense fallback={<p>Who is it …</p>}>
            <SignedIn>
              <Name />
            </SignedIn>
            <SignedOut>
              <h1>Nobody</h1>
            </SignedOut>
          </Suspense>
        </AuthProvider>
      </Suspense>
    </QueryClientProvider>
  </StrictMode>,
);
