import { useLingui } from "@lingui/react/macro";
import { deviceIn } from "./device.ts";

/** Names devices by what their browsers said. */
export function useDeviceName(): (userAgent: string | null) => string {
  const { t } = useLingui();
  return (userAgent) => {
    const device = deviceIn(userAgent);
    if (device === null) return t`Unknown device`;
    const { browser, system } = device;
    return system === null ? browser : t`${browser} on ${system}`;
  };
}
