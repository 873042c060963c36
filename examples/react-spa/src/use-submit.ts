import { type SubmitEvent, useState } from "react";
import { flushSync } from "react-dom";
import { type Refusal, refusalOf } from "./refusal.ts";

/** Sends a form, once at a time, and shows what it was refused for, with the focus where it says so. */
export function useSubmit(send: (fields: FormData) => Promise<unknown>) {
  const [isSending, setIsSending] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>({});

  async function submit(event: SubmitEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    if (isSending) return;
    const form = event.currentTarget;
    setIsSending(true);
    setRefusal({});
    try {
      await send(new FormData(form));
    } catch (error) {
      // Rendered before the focus goes there.
      flushSync(() => setRefusal(refusalOf(error)));
      form.querySelector<HTMLElement>("[aria-invalid=true], [role=alert]:not(:empty)")?.focus();
    } finally {
      setIsSending(false);
    }
  }

  const forget = () => setRefusal({});
  return { isSending, refusal, forget, onSubmit: (event: SubmitEvent<HTMLFormElement>) => void submit(event) };
}
