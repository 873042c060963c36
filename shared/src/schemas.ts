/** The schemas of every input and output, and the types inferred from them. Apart from the index, because they need zod. */
export {
  Account,
  AccountPage,
  AccountRef,
  ChangePasswordInput,
  CreateAccountInput,
  ListAccountsInput,
  RegisterInput,
  SetPasswordInput,
  SetRolesInput,
  SetUpInput,
  User,
} from "./schemas/accounts.ts";
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
