import { type ReactNode, useEffect, useRef } from "react";
import { useApp } from "../use-app.ts";

let isFirst = true;

/** The heading of a page, and its title. Whoever came here by a link hears it: it takes the focus. */
export function Title({ children, text }: { readonly text: string; readonly children?: ReactNode }) {
  const { page } = useApp();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${text} – ${page.brand.name}`;
  }, [text, page.brand.name]);
  useEffect(() => {
    // A document that has just come is read from its beginning.
    if (!isFirst) heading.current?.focus();
    isFirst = false;
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children ?? text}
    </h1>
  );
}
