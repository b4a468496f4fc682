/**
 * Which adapter to take: that of Deno, of Node for Node and Bun, or that of
 * workerd, which has a part of Node's modules.
 */

/** The runtimes that are told apart. */
export type RuntimeName = "Deno" | "Node" | "Bun" | "workerd";

/** The runtime this code runs on. */
export const runtimeName: RuntimeName = findName();

function findName(): RuntimeName {
  if ("Deno" in globalThis) return "Deno";
  if ("Bun" in globalThis) return "Bun";
  const { navigator } = globalThis as { navigator?: { userAgent?: string } };
  return navigator?.userAgent === "Cloudflare-Workers" ? "workerd" : "Node";
}

/** Whether this is Deno. */
export const isDeno: boolean = runtimeName === "Deno";

/** Whether this is Bun, which has Node's adapter. */
export const isBun: boolean = runtimeName === "Bun";

/** Whether this is workerd. */
export const isWorkerd: boolean = runtimeName === "workerd";
