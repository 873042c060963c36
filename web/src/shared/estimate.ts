/** How hard a password is to guess, by the lists and patterns of those who guess. Loaded only where it is asked for. */
import { ZxcvbnFactory } from "@zxcvbn-ts/core";
import { adjacencyGraphs, dictionary } from "@zxcvbn-ts/language-common";

const zxcvbn = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });

/** @param username What its person is called: a guess that is made first. */
export function scoreOf(password: string, username: string) {
  return zxcvbn.check(password, username === "" ? [] : [username]).score;
}
