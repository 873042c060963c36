import { createAuthClient } from "@countersign/client";
import { AuthProvider } from "@countersign/client/react";
import type { AppRouter } from "@countersign/example-notes/router";
import { type ReactNode, useEffect, useState } from "react";
import {
  Links,
  type LoaderFunctionArgs,
  Meta,
  Outlet,
  Scripts,
  ScrollRestoration,
  useLoaderData,
  useRevalidator,
} from "react-router";
import { callerOf } from "./caller.server.ts";

export async function loader(visit: LoaderFunctionArgs) {
  const caller = await callerOf(visit);
  return { session: await caller.auth.session() };
}

export default function Root() {
  const { session } = useLoaderData<typeof loader>();
  // Begins with what the server knew, so that the first render in the browser is the server's, and nothing is asked twice.
  const [auth] = useState(() => createAuthClient<AppRouter>({ url: "/trpc", session }));
  const { revalidate } = useRevalidator();

  // Whoever signs in or out, here or in another tab: the loaders say which page is theirs.
  useEffect(() => {
    // Not before the server has heard of it: until then the cookie is good for the page that is left.
    const leave = () => void auth.trpc.auth.session.query().then(revalidate, () => {});
    if (auth.firstSession.status === "signed-in" && auth.session.status === "signed-out") leave();
    return auth.subscribe(({ type }) => {
      // In a new document nothing is left of whoever was here before.
      if (type === "signed-in") location.reload();
      if (type === "signed-out") leave();
    });
  }, [auth, revalidate]);

  return (
    <AuthProvider client={auth}>
      <Outlet />
    </AuthProvider>
  );
}

/** In the page's place where the server cannot be reached. */
export function ErrorBoundary() {
  return (
    <main>
      <p role="alert">That did not work.</p>
      <button type="button" onClick={() => location.reload()}>
        Try again
      </button>
    </main>
  );
}

export function Layout({ children }: { readonly children: ReactNode }) {
  return (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <link rel="icon" href="data:," />
        <Meta />
        <Links />
      </head>
      <body>
        {children}
        <ScrollRestoration />
        <Scripts />
      </body>
    </html>
  );
}
