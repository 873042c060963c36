import { t } from "../init.ts";
import { accountRouter } from "./account.ts";
import { adminRouter } from "./admin.ts";
import { authRouter } from "./auth.ts";
import { usersRouter } from "./users.ts";

/** Our routers under the names that applications mount them by. Served where there is no application, and to our own pages. */
export const rootRouter = t.router({
  auth: authRouter,
  account: accountRouter,
  users: usersRouter,
  admin: adminRouter,
});

/** The type of {@link rootRouter}. */
export type RootRouter = typeof rootRouter;
