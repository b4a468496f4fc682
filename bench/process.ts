/** Runs one child process to its end. */

/** How a child ended, with all it printed. */
export interface ProcessResult {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Longest time a child may take: a million tasks take seconds, so that one which takes this long hangs. */
const LIMIT_MS = 300_000;

/** Runs a command, without debug modes from outside and without colours; a missing program is a failure, not a throw. */
export async function runProcess(
  [program = "", ...args]: readonly string[],
): Promise<ProcessResult> {
  try {
    const { success, stdout, stderr, signal } = await new Deno.Command(
      program,
      {
        args,
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
        env: {
          ASYNCIO_DEBUG: "",
          BENCH_DENO: Deno.execPath(),
          BENCH_LOAD: besides("load.ts"),
          BENCH_LOAD_TLS: besides("load_tls.ts"),
          BENCH_TLS: besides("tls"),
          NO_COLOR: "1",
          PYTHONASYNCIODEBUG: "",
          PYTHONDONTWRITEBYTECODE: "1",
        },
        signal: AbortSignal.timeout(LIMIT_MS),
      },
    ).output();
    const decoder = new TextDecoder();
    const killed = signal === null ? "" : `ended by ${signal}\n`;
    return {
      ok: success,
      stdout: decoder.decode(stdout),
      stderr: killed + decoder.decode(stderr),
    };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { ok: false, stdout: "", stderr: `${error}` };
  }
}

/** The path of a file or folder of this folder. */
function besides(name: string): string {
  return fromFileUrl(new URL(name, import.meta.url));
}

/** The path of a `file:` URL (std's `fromFileUrl` is on JSR, which a build machine may not reach). */
export function fromFileUrl(url: URL): string {
  const path = decodeURIComponent(url.pathname);
  return Deno.build.os === "windows"
    ? path.slice(1).replaceAll("/", "\\")
    : path;
}
