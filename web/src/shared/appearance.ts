/** How a page looks to whoever asked for it: said by the server, in the document. */
import * as z from "zod/mini";
import { isLanguage, type Language } from "./languages.ts";

export const Appearance = z.object({
  language: z.custom<Language>(isLanguage),
  /** What the person chose; `null` for what their system says. */
  scheme: z.nullable(z.enum(["light", "dark"])),
  brand: z.object({
    name: z.string(),
    /** The address of a picture, on this server. */
    logo: z.nullable(z.string()),
  }),
});
export type Appearance = z.infer<typeof Appearance>;
