/** Notes on a board, and whoever reads them as they come. */
import { EventEmitter, once } from "node:events";
import { tracked } from "@trpc/server";

export interface Board {
  pin(text: string): void;
  /** Every note after the one with this id, and those that come; ends when the signal says so. */
  read(
    after: string | null | undefined,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<ReturnType<typeof tracked<string>>, void>;
  /** How many read it: those whose generator has begun and is not closed. */
  readonly readers: number;
  /** Resolves when so many read it. */
  readersAre(count: number): Promise<void>;
}

const boards = new Map<string, Board>();

/** The board of a name; made at the first mention. */
export function boardOf(name: string): Board {
  const board = boards.get(name) ?? makeBoard();
  boards.set(name, board);
  return board;
}

function makeBoard(): Board {
  const notes: string[] = [];
  const changes = new EventEmitter().setMaxListeners(0);
  let readers = 0;
  const count = (by: number) => {
    readers += by;
    changes.emit("readers");
  };
  return {
    pin(text) {
      notes.push(text);
      changes.emit("note");
    },
    async *read(after, signal) {
      const known = Number(after ?? 0);
      // What is no number of a note, or of one to come, is as good as none.
      let last = known >= 0 && known <= notes.length ? known : 0;
      count(1);
      try {
        for (;;) {
          for (const note of notes.slice(last)) {
            last += 1;
            yield tracked(String(last), note);
          }
          if (last === notes.length) await once(changes, "note", { signal });
        }
      } finally {
        count(-1);
      }
    },
    get readers() {
      return readers;
    },
    async readersAre(count) {
      while (readers !== count) await once(changes, "readers");
    },
  };
}
