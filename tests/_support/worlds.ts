/** Tests of what the real network and a simulated one have in common. */
import { run, simulate } from "@asyncio/asyncio";

type Test<B> = (name: string, body: () => B) => void;

/**
 * Has a test run on the loopback of this machine, and on that of a simulated host.
 *
 * @param test `Deno.test`, which only a test file has on every runtime.
 */
export function inBothWorlds(test: Test<Promise<void>>): Test<Promise<void>> {
  return (name, body) => {
    test(name, () => run(body));
    test(`on a simulated host: ${name}`, () => simulate(body));
  };
}
