/** The program in `tests/npm/tracing/`, which needs packages of its own. */
import { ROOT } from "./_project.ts";

/** Where its event loop comes from. */
export const TRACING_MODES = ["default", "run", "debug"] as const;

/** What it needs, as `pino@10.4.0`: its `deno.json` has the versions. */
export async function tracingPackages(): Promise<string[]> {
  const url = new URL("tests/npm/tracing/deno.json", ROOT);
  const { imports } = JSON.parse(await Deno.readTextFile(url)) as {
    imports: Record<string, string>;
  };
  return Object.values(imports)
    .filter((target) => target.startsWith("npm:"))
    .map((target) => target.slice("npm:".length));
}
