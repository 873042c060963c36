/** A front end without our server package: the client and the shared words are all that is installed. */
import { createAuthClient, isAuthError } from "@countersign/client";
import { AuthError, reasons } from "@countersign/shared";

export { AuthError, createAuthClient, isAuthError, reasons };
