/** What a device is called. Versions are left out: browsers no longer tell true ones. */
import Bowser from "bowser";

/** As in "Firefox on Windows"; what the browser said of itself where that is nothing known; `null` where it said nothing. */
export function deviceIn(userAgent: string | null): { browser: string; system: string | null } | null {
  if (userAgent === null || userAgent === "") return null;
  const parsed = Bowser.getParser(userAgent);
  const [browser, system] = [parsed.getBrowserName(), parsed.getOSName()];
  return browser === "" ? { browser: userAgent, system: null } : { browser, system: system === "" ? null : system };
}
