import { auditKinds } from "@countersign/shared";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import * as z from "zod/mini";
import { Account } from "./account/account.tsx";
import type { AppClient } from "./client.ts";
import { ForAdministrators } from "./forbidden.tsx";
import { Layout } from "./layout.tsx";
import { NotFound } from "./not-found.tsx";
import type { AppPage } from "./page.ts";

/** What every route is given. */
export interface AppContext {
  readonly page: AppPage;
  readonly client: AppClient;
}

const root = createRootRouteWithContext<AppContext>()({
  component: () => (
    <Layout>
      <Outlet />
    </Layout>
  ),
  notFoundComponent: NotFound,
});
const inRoot = () => root;

const account = createRoute({ getParentRoute: inRoot, path: "/account", component: Account });
const profile = createRoute({
  getParentRoute: inRoot,
  path: "/account/profile",
  component: lazyRouteComponent(() => import("./account/profile.tsx"), "Profile"),
});
const password = createRoute({
  getParentRoute: inRoot,
  path: "/account/password",
  component: lazyRouteComponent(() => import("./account/password.tsx"), "Password"),
});
const securityLog = createRoute({
  getParentRoute: inRoot,
  path: "/account/security-log",
  component: lazyRouteComponent(() => import("./account/security-log.tsx"), "SecurityLog"),
});
const deletion = createRoute({
  getParentRoute: inRoot,
  path: "/account/delete",
  component: lazyRouteComponent(() => import("./account/delete.tsx"), "Delete"),
});

const forAdministrators = createRoute({ getParentRoute: inRoot, id: "administrators", component: ForAdministrators });
const inAdmin = () => forAdministrators;

const text = z.optional(z.catch(z.string(), ""));
const AccountsSearch = z.object({ search: text, cursor: text });
const EventsSearch = z.object({
  account: text,
  kind: z.catch(z.optional(z.enum(auditKinds)), undefined),
  before: z.catch(z.optional(z.string().check(z.regex(/^\d{4}-\d\d-\d\d$/))), undefined),
});

const admin = createRoute({
  getParentRoute: inAdmin,
  path: "/admin",
  beforeLoad: () => {
    throw redirect({ to: "/admin/accounts", search: {} });
  },
});
const accounts = createRoute({
  getParentRoute: inAdmin,
  path: "/admin/accounts",
  validateSearch: (search) => definedIn(AccountsSearch.parse(search)),
  component: lazyRouteComponent(() => import("./admin/accounts.tsx"), "Accounts"),
});
const newAccount = createRoute({
  getParentRoute: inAdmin,
  path: "/admin/accounts/new",
  component: lazyRouteComponent(() => import("./admin/new-account.tsx"), "NewAccount"),
});
const adminAccount = createRoute({
  getParentRoute: inAdmin,
  path: "/admin/accounts/$id",
  component: lazyRouteComponent(() => import("./admin/account.tsx"), "AdminAccount"),
});
const events = createRoute({
  getParentRoute: inAdmin,
  path: "/admin/events",
  validateSearch: (search) => definedIn(EventsSearch.parse(search)),
  component: lazyRouteComponent(() => import("./admin/events.tsx"), "Events"),
});
const keys = createRoute({
  getParentRoute: inAdmin,
  path: "/admin/keys",
  component: lazyRouteComponent(() => import("./admin/keys.tsx"), "Keys"),
});
const health = createRoute({
  getParentRoute: inAdmin,
  path: "/admin/health",
  component: lazyRouteComponent(() => import("./admin/health.tsx"), "Health"),
});
const developer = createRoute({
  getParentRoute: inAdmin,
  path: "/developer",
  component: lazyRouteComponent(() => import("./developer/developer.tsx"), "Developer"),
});

const routeTree = root.addChildren([
  account,
  profile,
  password,
  securityLog,
  deletion,
  forAdministrators.addChildren([admin, accounts, newAccount, adminAccount, events, keys, health, developer]),
]);

/** Without what nobody said, so that an address has no empty parts. */
function definedIn<T extends object>(search: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined && value !== "")) as never;
}

export function createAppRouter(context: AppContext) {
  return createRouter({ routeTree, context, defaultPreload: "intent", scrollRestoration: true });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
