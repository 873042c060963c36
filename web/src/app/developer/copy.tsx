import { useLingui } from "@lingui/react/macro";
import { useState } from "react";
import button from "../../shared/button.module.css";

/** Copies a text, and says so. Nothing is there where the browser lets no page copy. */
export function Copy({ text, name }: { readonly text: string; readonly name: string }) {
  const { t } = useLingui();
  const [isCopied, setCopied] = useState(false);
  if (navigator.clipboard === undefined) return null;
  return (
    <p>
      <button
        type="button"
        className={button.quiet}
        aria-label={t`Copy: ${name}`}
        onClick={() =>
          void navigator.clipboard.writeText(text).then(
            () => setCopied(true),
            () => setCopied(false),
          )
        }
      >
        {t`Copy`}
      </button>{" "}
      <span role="status">{isCopied && t`Copied`}</span>
    </p>
  );
}
