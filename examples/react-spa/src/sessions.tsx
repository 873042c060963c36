import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { trpc } from "./auth.ts";

/** Where else the person is signed in, and a way to end that. */
export function Sessions() {
  const queryClient = useQueryClient();
  const sessions = useQuery(trpc.auth.sessions.list.queryOptions());
  const revokeOthers = useMutation(
    trpc.auth.sessions.revokeOthers.mutationOptions({
      onSuccess: () => queryClient.invalidateQueries(trpc.auth.sessions.list.queryFilter()),
    }),
  );

  return (
    <section aria-labelledby="sessions">
      <h2 id="sessions">Your sessions</h2>
      <ul>
        {sessions.data?.map(({ id, current, userAgent, createdAt }) => (
          <li key={id}>
            {current ? <b>This browser</b> : (userAgent ?? "Another device")}, since{" "}
            <time dateTime={createdAt.toISOString()}>{createdAt.toLocaleString()}</time>
          </li>
        ))}
      </ul>
      <button type="button" onClick={() => revokeOthers.mutate()}>
        Sign out elsewhere
      </button>
      <p role="status">{revokeOthers.data && `Signed out elsewhere: ${revokeOthers.data.revoked}.`}</p>
    </section>
  );
}
