interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Does one thing at a time for however many ask: what is asked for meanwhile waits, and is done together, in the order in
 * which it came. Writers of the same rows then wait for each other here, where it costs nothing, and not each with a
 * connection of its own.
 *
 * @param options.atMost How many are done together.
 * @param options.work Tells what became of each. When it throws, all that wait are told the same: what is away now would
 *   keep them waiting as long once more.
 */
export function inBatches<Item, Result>(options: {
  atMost: number;
  work: (items: readonly Item[]) => Promise<(item: Item) => Result>;
}): (item: Item) => Promise<Result> {
  const { atMost, work } = options;
  const waiting: Waiting<Item, Result>[] = [];
  let isWorking = false;

  async function workOff(): Promise<void> {
    isWorking = true;
    while (waiting.length > 0) await next(waiting.splice(0, atMost));
    isWorking = false;
  }

  async function next(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const resultOf = await work(batch.map(({ item }) => item));
      for (const { item, resolve } of batch) resolve(resultOf(item));
    } catch (error) {
      for (const { reject } of [...batch, ...waiting.splice(0)]) reject(error);
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!isWorking) void workOff();
    });
}
