/** Passwords come from a prompt without echo or from standard input: an argument is seen by everyone on the machine. */
import { UsageError } from "./errors.ts";

/** More than any password that is taken, and less than what would fill the memory. */
const maxInputBytes = 65_536;

/** Reads a password that is to be set. At a prompt it is asked for twice. */
export async function readNewPassword({ passwordStdin }: { passwordStdin?: boolean }): Promise<string> {
  if (passwordStdin) return readFromStdin();
  if (!process.stdin.isTTY) {
    throw new UsageError("There is no terminal to ask for the password. Pipe it in, with --password-stdin.");
  }
  const { password } = await import("@inquirer/prompts");
  // Standard output is for the answer, which may be piped on.
  const context = { output: process.stderr };
  const first = await password({ message: "Password", toggleMask: false }, context);
  const again = (value: string) =>
    value === first || "The passwords differ. Type the first one again, or press Ctrl-C.";
  await password({ message: "Password again", toggleMask: false, validate: again }, context);
  return first;
}

async function readFromStdin(): Promise<string> {
  if (process.stdin.isTTY) {
    throw new UsageError("--password-stdin takes the password from a pipe. Without it, you are asked.");
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    bytes += chunk.length;
    if (bytes > maxInputBytes) throw new UsageError("Standard input is too long for a password.");
    chunks.push(chunk);
  }
  return decode(Buffer.concat(chunks)).replace(/\r?\n$/, "");
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError("The password on standard input is not valid UTF-8.");
  }
}
