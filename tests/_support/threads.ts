/** What the tests of threads share. */
import { sleep } from "@asyncio/asyncio";

/** Where {@linkcode Work} is; TypeScript on Deno and JavaScript on Node. */
export const WORK: URL = besides("thread_work");
/** Where the module is that loads until it is told to go on. */
export const SLOW_MODULE: URL = besides("slow_module");

function besides(name: string): URL {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));
  return new URL(`./${name}${extension}`, import.meta.url);
}

export type Work = typeof import("./thread_work.ts");

/** A number that both threads see. */
export function sharedState(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4));
}

/** Waits until a worker has set it. */
export async function until(state: Int32Array, value: number): Promise<void> {
  while (Atomics.load(state, 0) !== value) await sleep(1);
}
