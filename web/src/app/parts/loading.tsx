import { Trans } from "@lingui/react/macro";
import type { ReactNode } from "react";
import { problemIn } from "../../shared/problem.ts";
import { useAppProblemText } from "../use-app.ts";

/** What a query has brought, and a word while it is under way, or why it failed. */
export function Loaded<Data>({
  query,
  children,
}: {
  readonly query: { readonly data: Data | undefined; readonly error: unknown; readonly isPending: boolean };
  readonly children: (data: Data) => ReactNode;
}) {
  const describe = useAppProblemText();
  const { data, error, isPending } = query;
  return (
    <>
      <p role="status">{isPending && <Trans>One moment …</Trans>}</p>
      <div role="alert">
        {error !== null && error !== undefined && (
          <p>
            {describe(problemIn(error)).general ?? (
              <Trans>This could not be read. Reload the page, and try again.</Trans>
            )}
          </p>
        )}
      </div>
      {data !== undefined && children(data)}
    </>
  );
}
