const plenty = 10_000_000;

/** Limits that no test reaches: what is refused is refused for what it is. */
export const unlimited = {
  loginsPerAccount: plenty,
  loginsPerAddress: plenty,
  loginsPerKnownDevice: plenty,
  registrationsPerAddress: plenty,
};
