/** A measurement within a process of its own: what is told to do it, and answers with figures. */
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Core, spawnOn } from "./pinned.ts";

export interface Script<Job, Figures> extends AsyncDisposable {
  run(job: Job): Promise<Figures>;
}

/** Starts `scripts/<name>.ts`. @param env What it finds in its environment. */
export async function startScript<Job extends object, Figures>(
  name: string,
  { env = {}, core = "server" }: { env?: Readonly<Record<string, string>>; core?: Core } = {},
): Promise<Script<Job, Figures>> {
  const { PATH = "" } = process.env;
  const file = fileURLToPath(new URL(`../scripts/${name}.ts`, import.meta.url));
  const child = spawnOn(core, process.execPath, [file], {
    env: { PATH, NODE_ENV: "production", ...env },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = once(child, "exit").then(() => {
    throw new Error(`${name} ended`);
  });
  ended.catch(() => {});
  const answer = async () => {
    const [message] = await Promise.race([once(child, "message"), ended]);
    return message as Figures;
  };
  // It says so when it is ready.
  await answer();
  return {
    async run(job) {
      const figures = answer();
      child.send(job);
      return figures;
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}
