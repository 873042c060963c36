/** One plain line for each thing that is done: what it is, and how long it took. */

/**
 * Says what is being done, does it, and says how long it took; on failure shows what the tool said, and a hint.
 *
 * @param {string} doing for example "Checking types"
 * @param {() => Promise<{ code: number, output: string }>} work
 * @param {{ hint: string }} options what to do when it fails
 * @returns {Promise<boolean>} whether it went well
 */
export async function step(doing, work, { hint }) {
  process.stdout.write(`${doing} … `);
  const started = performance.now();
  const { code, output } = await work();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (code === 0) {
    console.log(`done in ${seconds} s`);
    return true;
  }
  console.log(`FAILED after ${seconds} s\n\n${output.trim()}\n\n${doing} failed. ${hint}\n`);
  return false;
}
