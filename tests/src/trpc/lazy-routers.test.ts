import { accessMatrix, loadLazyRouters } from "@countersign/server";
import { createTestAuth } from "@countersign/server/testing";
import { lazy } from "@trpc/server";
import { expect, it } from "vitest";

it("a router that is not loaded yet cannot hide from the access matrix", async () => {
  await using test = await createTestAuth();
  const { t, protectedProcedure } = test.auth;
  const inner = t.router({ deep: protectedProcedure.query(() => 1) });
  const outer = t.router({ inner: lazy(async () => ({ default: inner })) });
  const appRouter = t.router({ outer: lazy(async () => ({ default: outer })) });

  expect(() => accessMatrix(appRouter)).toThrow(/outer/);
  await loadLazyRouters(appRouter);
  expect(accessMatrix(appRouter)).toMatchObject([{ path: "outer.inner.deep", signedIn: true }]);
});
