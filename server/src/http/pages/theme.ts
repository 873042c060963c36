/** The colours of a server's own pages: a style sheet of two variables. */

/** Two spellings of one colour, `#rrggbb`: for light pages, and for dark ones. */
export interface Accent {
  readonly light: string;
  readonly dark: string;
}

/** What the accent is seen on: the surfaces of `base.css`. */
const surfaces = { light: "#ffffff", dark: "#1d2128" } as const;
const schemes = ["light", "dark"] as const;

/** WCAG 2.2 §1.4.3, for text. */
const leastContrast = 4.5;

/**
 * The style sheet that sets the accent.
 *
 * @throws {TypeError} when a colour is malformed, or cannot be read on the pages.
 */
export function themeOf(accent: Accent): string {
  for (const scheme of schemes) {
    const colour = accent[scheme];
    if (!/^#[0-9a-f]{6}$/i.test(colour)) throw new TypeError(`"accent.${scheme}" must be a colour as in #1a5ab8`);
    const contrast = contrastOf(colour, surfaces[scheme]);
    if (contrast >= leastContrast) continue;
    throw new TypeError(
      `"accent.${scheme}" cannot be read on ${surfaces[scheme]}: its contrast is ${contrast.toFixed(1)}, and ${leastContrast} is the least (WCAG 2.2 §1.4.3). Choose a ${scheme === "light" ? "darker" : "lighter"} one`,
    );
  }
  const { light, dark } = accent;
  return `:root{--accent:light-dark(${light},${dark});--on-accent:light-dark(${textOn(light)},${textOn(dark)})}`;
}

/** An accent as text: its two colours with a comma between them. `null` for what is none, or cannot be read. */
export function accentIn(text: string): Accent | null {
  const [light = "", dark = "", ...more] = text.split(",").map((colour) => colour.trim());
  try {
    themeOf({ light, dark });
    return more.length === 0 ? { light, dark } : null;
  } catch {
    return null;
  }
}

/** Whichever of black and white is read better. */
function textOn(colour: string): string {
  return contrastOf(colour, "#ffffff") >= contrastOf(colour, "#000000") ? "#ffffff" : "#000000";
}

/** From 1, of a colour and itself, to 21, of black and white. */
function contrastOf(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminanceOf(one), luminanceOf(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** WCAG 2.2, "relative luminance". */
function luminanceOf(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
