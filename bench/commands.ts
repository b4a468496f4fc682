/** What a process of clients is told: a command and how often, a line each on its standard input. */

/** Does `count` of something; the next command waits until it is over. */
export type Does = (count: number) => void | Promise<void>;

const DONE = new TextEncoder().encode("done\n");

/**
 * Says `done`, as all are connected, and after each command again; resolves
 * when the input ends.
 */
export async function obey(
  commands: Readonly<Record<string, Does>>,
): Promise<void> {
  const input = new Uint8Array(4096);
  const decoder = new TextDecoder();
  let text = "";
  Deno.stdout.writeSync(DONE);
  // Synchronous, so that nothing else wakes this process up.
  for (let n = Deno.stdin.readSync(input); n !== null;) {
    text += decoder.decode(input.subarray(0, n));
    const lines = text.split("\n");
    text = lines.pop()!;
    for (const line of lines) {
      const [name = "", count = ""] = line.split(" ");
      await commands[name]!(Number(count));
      Deno.stdout.writeSync(DONE);
    }
    n = Deno.stdin.readSync(input);
  }
}
