/** The schemas of every input and output, and the types inferred from them. Apart from the index, because they need zod. */
export {
  Account,
  AccountPage,
  AccountRef,
  ChangePasswordInput,
  CreateAccountInput,
  ListAccountsInput,
  OwnAccount,
  RegisterInput,
  SetPasswordInput,
  SetRolesInput,
  SetUpInput,
  TemporaryPassword,
  UpdateAccountInput,
  User,
} from "./schemas/accounts.ts";
export {
  AuditEvent,
  AuditEventPage,
  AuditKind,
  ListEventsInput,
  ListOwnEventsInput,
  SecurityEvent,
  SecurityEventPage,
} from "./schemas/events.ts";
export {
  AccountId,
  Email,
  maxPasswordLength,
  Password,
  Role,
  ScopeName,
  ScopeString,
  SessionId,
  Username,
} from "./schemas/fields.ts";
export { ActivityInput, Health, HourOfActivity, RotateKeyInput, SigningKey } from "./schemas/server.ts";
export {
  CurrentSession,
  FeedInput,
  LoginInput,
  LogoutInput,
  RefreshInput,
  RevokedCount,
  Session,
  SessionRef,
  SignedIn,
  SignedInSession,
} from "./schemas/sessions.ts";
