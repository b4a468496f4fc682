import config from "../deno.json" with { type: "json" };
import { LAYERS } from "../tools/lint_plugin.ts";

/** The root of the project. */
export const ROOT: URL = new URL("../", import.meta.url);

/** The name of the package. */
export const NAME: string = config.name;

/** The version of the package. */
export const VERSION: string = config.version;

/** What the package is, in a line. */
export const DESCRIPTION: string = config.description;

/** What users import and the file behind it: `./loop` and `./loop/mod.ts`. */
export const EXPORTS: Readonly<Record<string, string>> = config.exports;

/** The versions of the packages of NATS, by their names. */
const NATS: readonly (readonly [string, string])[] = Object.entries(
  config.imports,
).flatMap(([name, target]) =>
  name.startsWith("@nats-io/")
    ? [[name, target.replace(`npm:${name}@`, "")] as const]
    : []
);

/** Packages that an entry loads if the user has them, and their versions. */
export const PEERS: Readonly<Record<string, string>> = Object.fromEntries(
  NATS.filter(([name]) => name === "@nats-io/jetstream"),
);

/** The packages that tests with these need, as npm installs them. */
export const PEERS_OF_TESTS: readonly string[] = NATS.map(([name, version]) =>
  `${name}@${version}`
);

/** The path that a `file:` URL of this machine stands for. */
export function toPath(url: URL): string {
  const path = decodeURIComponent(url.pathname);
  return Deno.build.os === "windows"
    ? path.slice(1).replaceAll("/", "\\")
    : path;
}

/** Every file below a folder, as sorted paths from `base`, with slashes. */
export async function filesBelow(base: URL, folder = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const entry of Deno.readDir(new URL(folder || ".", base))) {
    const path = folder + entry.name;
    if (entry.isDirectory) paths.push(...await filesBelow(base, `${path}/`));
    else paths.push(path);
  }
  return paths.sort();
}

/** Whether a path from the root is library code. */
export function isLibrary(path: string): boolean {
  const place = path.split("/")[0] ?? "";
  return LAYERS.some((row) => row.includes(place));
}

/** The library's own files, as paths from the root. */
export async function libraryFiles(): Promise<string[]> {
  const paths: string[] = [];
  for (const place of LAYERS.flat()) {
    if (place.endsWith(".ts")) {
      paths.push(place);
      continue;
    }
    const info = await Deno.stat(new URL(place, ROOT)).catch(() => undefined);
    if (!info?.isDirectory) continue;
    const files = await filesBelow(ROOT, `${place}/`);
    paths.push(...files.filter((path) => path.endsWith(".ts")));
  }
  return paths;
}

/** Writes a text, and the folders above it. */
export async function writeText(url: URL, text: string): Promise<void> {
  await Deno.mkdir(new URL(".", url), { recursive: true });
  await Deno.writeTextFile(url, text);
}

/** How a command ended, and all it printed. */
export interface CommandResult {
  /** Whether it ended with status 0. */
  readonly ok: boolean;
  /** What it wrote to its standard output. */
  readonly stdout: string;
  /** What it wrote to both, errors last. */
  readonly output: string;
}

/** Where and how a command runs. */
export interface CommandOptions {
  /** The folder it runs in, by default the root of the project. */
  readonly cwd?: URL;
  /** When to kill it, by default never. */
  readonly timeoutMs?: number;
}

/** Collects a pipe; what has come so far can be read at any time. */
function collect(pipe: ReadableStream<Uint8Array>): {
  readonly ended: Promise<void>;
  text(): string;
} {
  const decoder = new TextDecoder();
  let text = "";
  const sink = new WritableStream<Uint8Array>({
    write(chunk) {
      text += decoder.decode(chunk, { stream: true });
    },
  });
  return { ended: pipe.pipeTo(sink), text: () => text };
}

/** Runs a command to its end and keeps what it prints. */
export async function execute(
  program: string,
  args: readonly string[],
  { cwd = ROOT, timeoutMs }: CommandOptions = {},
): Promise<CommandResult> {
  const child = new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  let killed = "";
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => {
    killed = `Killed after ${timeoutMs / 1000} s\n`;
    child.kill("SIGKILL");
  }, timeoutMs);
  const { success } = await child.status;
  clearTimeout(timer);
  // A killed child's own children may hold the pipes open for good.
  if (!killed) await Promise.all([stdout.ended, stderr.ended]);
  return {
    ok: success && !killed,
    stdout: stdout.text(),
    output: stdout.text() + stderr.text() + killed,
  };
}

/** Runs npm, of which Windows has a script instead of a program. */
export async function npm(
  args: readonly string[],
  options?: CommandOptions,
): Promise<string> {
  const program = Deno.build.os === "windows" ? "npm.cmd" : "npm";
  const { ok, stdout, output } = await execute(program, args, options);
  if (!ok) throw new Error(`npm ${args.join(" ")} failed\n${output}`);
  return stdout;
}
