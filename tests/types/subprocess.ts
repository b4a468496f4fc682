/** What streams a process has, by the options it was started with. */
import {
  createSubprocessExec,
  createSubprocessShell,
  DEVNULL,
  PIPE,
  type Process,
  STDOUT,
  type StreamReader,
  type StreamWriter,
  type SubprocessOptions,
} from "@asyncio/asyncio";
import { type Equal, expectType } from "./_expect.ts";

// ── PIPE: it is there ─────────────────────────────────────────────────────────
const cat = await createSubprocessExec("cat", [], {
  stdin: PIPE,
  stdout: PIPE,
  stderr: STDOUT,
});
expectType<
  Equal<typeof cat, Process<StreamWriter, StreamReader, null>>
>();
cat.stdin.write("hello\n");
await cat.stdout.readLine();
const output = await cat.communicate();
expectType<Equal<typeof output, [Uint8Array, null]>>();

const shell = await createSubprocessShell("ls", { stderr: "pipe", env: {} });
await shell.stderr.read();
// @ts-expect-error -- it may be null
shell.stdout.read();

// ── Another one, or none: it may be null, or is ───────────────────────────────
const quiet = await createSubprocessExec("ls", [], { stdout: DEVNULL });
expectType<Equal<typeof quiet.stdout, null>>();

const plain = await createSubprocessExec("ls");
expectType<Equal<typeof plain, Process>>();
expectType<Equal<typeof plain.stdout, StreamReader | null>>();

const maybe = await createSubprocessExec("ls", [], {
  stdout: Math.random() < 0.5 ? PIPE : undefined,
  cwd: undefined,
});
expectType<Equal<typeof maybe.stdout, StreamReader | null>>();

const options: SubprocessOptions = { stdout: PIPE };
const later = await createSubprocessExec("ls", [], options);
expectType<Equal<typeof later, Process>>();

const optional: { stdout?: typeof PIPE } = {};
const perhaps = await createSubprocessExec("ls", [], optional);
expectType<Equal<typeof perhaps.stdout, StreamReader | null>>();

const shared = await createSubprocessExec("ls", [], {
  ...options,
  stdout: PIPE,
});
expectType<Equal<typeof shared.stdout, StreamReader>>();

// ── It can be handed over as a process of whatever streams ────────────────────
const any: Process = cat;
any.kill();

// @ts-expect-error -- no such option
createSubprocessExec("ls", [], { stdout: PIPE, killOnCancl: true });
// @ts-expect-error -- no such stream
createSubprocessShell("ls", { stdout: "pip" });
// @ts-expect-error -- no such option
createSubprocessShell("ls", { stdot: PIPE });
