/**
 * Runs random programs on CPython, and writes what they did there into
 * `tests/conformance/recorded.ts`, which the suite compares with this library.
 *
 *     deno task traces           records anew
 *     deno task traces 17 42     shows both traces of the programs 17 and 42
 *
 * The variable PYTHON names a Python 3.13 or newer; by default it is `python3`.
 *
 * @module
 */
import { digest } from "../tests/conformance/digest.ts";
import { trace } from "../tests/conformance/interpreter.ts";
import { makeProgram, type Program } from "../tests/conformance/programs.ts";
import { ROOT, toPath, writeText } from "./_project.ts";

/** How many programs are recorded. */
const PROGRAMS = 1500;

interface Reference {
  readonly version: string;
  /** `null` for a program that both decide differently on purpose. */
  readonly traces: readonly (readonly string[] | null)[];
}

async function runOnCPython(programs: readonly Program[]): Promise<Reference> {
  const child = new Deno.Command(Deno.env.get("PYTHON") ?? "python3", {
    args: [toPath(new URL("tests/conformance/reference.py", ROOT))],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const input = new Blob([JSON.stringify(programs)]).stream();
  const [{ success, stdout }] = await Promise.all([
    child.output(),
    input.pipeTo(child.stdin),
  ]);
  if (!success) throw new Error("The reference failed: see above");
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function record(): Promise<void> {
  const programs = Array.from({ length: PROGRAMS }, (_, at) => makeProgram(at));
  const { version, traces } = await runOnCPython(programs);
  const digests = traces.map((lines) => lines === null ? "" : digest(lines));
  await writeText(
    new URL("tests/conformance/recorded.ts", ROOT),
    `// Written by \`deno task traces\`.

/** Which CPython ran the programs. */
export const VERSION = ${JSON.stringify(version)};

/**
 * A digest of what each program did there, by its seed; empty for those that
 * both decide differently on purpose.
 */
export const DIGESTS: readonly string[] = ${JSON.stringify(digests)};
`,
  );
}

async function show(seeds: readonly number[]): Promise<void> {
  const programs = seeds.map(makeProgram);
  const { version, traces } = await runOnCPython(programs);
  for (const [index, seed] of seeds.entries()) {
    console.log(
      `program ${seed}:`,
      Deno.inspect(programs[index], { depth: 9 }),
    );
    console.log(`CPython ${version}:`, traces[index]);
    console.log("here:", await trace(programs[index]!, false));
  }
}

if (import.meta.main) {
  if (Deno.args.length === 0) await record();
  else await show(Deno.args.map(Number));
}
