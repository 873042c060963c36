/** Does what it is told, and answers. */
export function answerJobs<Job, Figures>(work: (job: Job) => Promise<Figures>): void {
  process.on("message", async (job: Job) => {
    process.send?.(await work(job));
  });
  process.send?.("ready");
}

/** How long something takes, in milliseconds. */
export async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
