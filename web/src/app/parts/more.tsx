import { Trans, useLingui } from "@lingui/react/macro";
import button from "../../shared/button.module.css";

/** Asks for the next page of a list; says when there is none. */
export function More({
  query,
}: {
  readonly query: {
    readonly hasNextPage: boolean;
    readonly isFetchingNextPage: boolean;
    readonly data: unknown;
    readonly fetchNextPage: () => unknown;
  };
}) {
  const { t } = useLingui();
  const { hasNextPage, isFetchingNextPage, data, fetchNextPage } = query;
  return (
    <>
      {hasNextPage && (
        <button
          type="button"
          className={button.quiet}
          aria-disabled={isFetchingNextPage}
          onClick={() => !isFetchingNextPage && fetchNextPage()}
        >
          <Trans>Look further back</Trans>
        </button>
      )}
      <p role="status">
        {isFetchingNextPage && t`One moment …`}
        {data !== undefined && !hasNextPage && t`This is all there is.`}
      </p>
    </>
  );
}
