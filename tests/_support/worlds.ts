/** Tests of what the real network and a simulated one have in common. */
import { run, simulate } from "@asyncio/asyncio";

/** The same on the loopback of this machine, and on that of a simulated host. */
export function testInBothWorlds(
  name: string,
  body: () => Promise<void>,
): void {
  Deno.test(name, () => run(body));
  Deno.test(`on a simulated host: ${name}`, () => simulate(body));
}
