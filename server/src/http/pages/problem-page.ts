import { AuthError } from "@countersign/shared";
import { refusalHeaders } from "../refusal.ts";
import { type PageContext, type PageParts, pageHeaders } from "./page-request.ts";
import { readPreferences } from "./preferences.ts";

/** Says on a page that a page could not be made. Needs neither the database nor a script. */
export async function showProblem(
  context: PageContext,
  { brand, load }: Pick<PageParts, "brand" | "load">,
  error: unknown,
): Promise<Response> {
  const pages = await load();
  const { language, scheme } = readPreferences(context, pages.languages);
  const refusal = error instanceof AuthError ? error : null;
  const page = {
    language,
    scheme,
    brand,
    reason: refusal?.reason ?? null,
    requestId: context.get("requestId"),
    // Only what can be asked for again changes nothing by it.
    again: context.req.method === "GET" ? addressOf(context) : "/account",
  };
  return context.html(
    pages.renderProblemPage(page, pages.assetsOf("auth", language)),
    (refusal?.status ?? 500) as 500,
    {
      ...pageHeaders,
      ...(refusal !== null && refusalHeaders([refusal])),
    },
  );
}

function addressOf({ req }: PageContext): string {
  const { pathname, search } = new URL(req.url);
  return pathname + search;
}
