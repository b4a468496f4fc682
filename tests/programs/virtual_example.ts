// node: skip the examples are programs for Deno
/**
 * Runs an example in virtual time, so that its waiting takes none.
 *
 *     deno run -A tests/programs/virtual_example.ts NAME
 *
 * @module
 */

import { newEventLoop, runVirtual, VirtualClock } from "@asyncio/asyncio";
import type { EventLoop } from "@asyncio/asyncio";

/** Those that drive their loop themselves take it as an argument. */
const WITH_LOOP = ["deferred", "loop_stop"];

const name = Deno.args[0] ?? "";
const { main }: { main: (loop?: EventLoop) => Promise<void> } = await import(
  `../../examples/${name}.ts`
);
if (WITH_LOOP.includes(name)) {
  await main(newEventLoop({ clock: new VirtualClock() }));
} else {
  await runVirtual(() => main());
}
