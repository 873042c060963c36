/** The largest body that is read: more than any sign-in needs. */
export const maxBodyBytes = 100 * 1024;
