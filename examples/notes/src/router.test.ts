import { accessMatrix } from "@countersign/server";
import { createTestAuth } from "@countersign/server/testing";
import { expect, it } from "vitest";
import { auth } from "./auth.ts";
import { createNoteBook } from "./notes.ts";
import { appRouter } from "./router.ts";

it("keeps the notes of each person apart", async () => {
  await using test = await createTestAuth(auth.options);
  const notes = createNoteBook();
  const alice = appRouter.createCaller({ ...(await test.asUser("alice")), notes });
  const bob = appRouter.createCaller({ ...(await test.asUser("bob")), notes });
  const { id } = await alice.notes.create({ text: "Buy milk" });
  expect(await alice.notes.list()).toMatchObject([{ text: "Buy milk" }]);
  expect(await bob.notes.list()).toEqual([]);
  await expect(bob.notes.remove({ id })).rejects.toMatchObject({ code: "NOT_FOUND" });
});

it("lets nobody read without signing in", async () => {
  await using test = await createTestAuth(auth.options);
  const stranger = appRouter.createCaller({ ...test.asNobody(), notes: createNoteBook() });
  await expect(stranger.notes.list()).rejects.toMatchObject({
    code: "UNAUTHORIZED",
    cause: { reason: "TOKEN_MISSING" },
  });
});

it("lets only moderators remove the notes of others", async () => {
  await using test = await createTestAuth(auth.options);
  const notes = createNoteBook();
  const as = async (user: Parameters<typeof test.asUser>[0]) =>
    appRouter.createCaller({ ...(await test.asUser(user)), notes });
  const { id } = await (await as("alice")).notes.create({ text: "Spam" });
  await expect((await as("bob")).notes.moderate({ id })).rejects.toMatchObject({
    cause: { reason: "INSUFFICIENT_SCOPE" },
  });
  await (await as({ username: "mod", roles: ["moderator"] })).notes.moderate({ id });
  expect(notes.of("alice")).toEqual([]);
});

it("demands what this table says", () => {
  expect(accessMatrix(appRouter)).toMatchSnapshot();
});
