import { createRootRouteWithContext, createRoute, createRouter, Outlet } from "@tanstack/react-router";
import { Account } from "./account/account.tsx";
import type { AppClient } from "./client.ts";
import { Layout } from "./layout.tsx";
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
});

const account = createRoute({ getParentRoute: () => root, path: "/account", component: Account });

const routeTree = root.addChildren([account]);

export function createAppRouter(context: AppContext) {
  return createRouter({ routeTree, context, defaultPreload: "intent" });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
