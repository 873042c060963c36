import { isAuthError } from "@countersign/client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { SubmitEvent } from "react";
import { trpc } from "./auth.ts";

/** The notes of whoever is signed in. */
export function Notes() {
  const queryClient = useQueryClient();
  const onSuccess = () => queryClient.invalidateQueries(trpc.notes.list.queryFilter());
  const notes = useQuery(trpc.notes.list.queryOptions());
  const create = useMutation(trpc.notes.create.mutationOptions({ onSuccess }));
  const remove = useMutation(trpc.notes.remove.mutationOptions({ onSuccess }));
  const clear = useMutation(trpc.notes.clear.mutationOptions({ onSuccess }));
  const failed = [notes, create, remove, clear].find(({ error }) => error !== null);

  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    create.mutate({ text: String(new FormData(form).get("text")) }, { onSuccess: () => form.reset() });
  }

  return (
    <section aria-labelledby="notes">
      <h2 id="notes">Your notes</h2>
      <p role="alert">{failed && sentenceFor(failed.error)}</p>
      <form onSubmit={submit}>
        <label>
          New note
          <input name="text" required maxLength={1_000} autoComplete="off" />
        </label>
        <button type="submit">Add</button>
      </form>
      <ul>
        {notes.data?.map(({ id, text, createdAt }) => (
          <li key={id}>
            {text} <time dateTime={createdAt.toISOString()}>{createdAt.toLocaleTimeString()}</time>{" "}
            <button type="button" aria-label={`Remove “${text}”`} onClick={() => remove.mutate({ id })}>
              Remove
            </button>
          </li>
        ))}
      </ul>
      <button type="button" onClick={() => clear.mutate()}>
        Remove all
      </button>
    </section>
  );
}

function sentenceFor(error: unknown): string {
  return isAuthError(error) ? error.message : "That did not work. Try again.";
}
