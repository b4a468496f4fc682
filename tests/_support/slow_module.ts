/** A module that loads until it is told to go on: see module_test.ts. */
import "@asyncio/asyncio";

const { loading } = globalThis as unknown as { loading: Int32Array };
Atomics.store(loading, 0, 1);
while (Atomics.load(loading, 0) === 1) {
  await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Sets the state to 3. */
export function begin(state: Int32Array): void {
  Atomics.store(state, 0, 3);
}
