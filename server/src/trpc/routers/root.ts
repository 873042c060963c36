import { t } from "../init.ts";
import { authRouter } from "./auth.ts";
import { usersRouter } from "./users.ts";

/** Our routers where applications mount them: `auth` and `users`. Served where there is no application. */
export const rootRouter = t.router({ auth: authRouter, users: usersRouter });

/** The type of {@link rootRouter}. */
export type RootRouter = typeof rootRouter;
