// node: skip the examples are programs for Deno
import { assert, assertEquals } from "@std/assert";
import {
  findFault,
  isLinearizable,
  type Operation,
  runStore,
} from "../examples/replicated_store.ts";
import { runProgram } from "./_support/programs.ts";

/** From its start to its end; without one, `end` is left out. */
function put(value: number, start: number, end = Infinity): Operation {
  return { kind: "put", value, start, end };
}

function get(value: number, start: number, end = Infinity): Operation {
  return { kind: "get", value, start, end };
}

Deno.test("isLinearizable() takes what one value can have shown", () => {
  assert(isLinearizable([]));
  assert(isLinearizable([get(0, 1, 2), put(5, 3, 4), get(5, 5, 6)]));
  // Two that overlap may have come in either order.
  assert(isLinearizable([put(1, 1, 4), put(2, 2, 3), get(1, 5, 6)]));
  assert(isLinearizable([put(1, 1, 4), put(2, 2, 3), get(2, 5, 6)]));
  // A write that nobody has confirmed may show late, or never.
  assert(isLinearizable([put(1, 1), get(0, 2, 3), get(1, 4, 5)]));
  assert(isLinearizable([put(1, 1), get(0, 2, 3), get(0, 4, 5)]));
  assert(isLinearizable([get(9, 1)]));
});

Deno.test("isLinearizable() refuses a read of what is past, of what is to come, and a value that returns", () => {
  assert(!isLinearizable([put(1, 1, 2), get(0, 3, 4)]));
  assert(!isLinearizable([get(1, 1, 2), put(1, 3, 4)]));
  assert(!isLinearizable([get(7, 1, 2)]));
  assert(
    !isLinearizable([
      put(1, 1, 2),
      put(2, 3, 8),
      get(2, 4, 5),
      get(1, 6, 7),
    ]),
  );
  assert(
    !isLinearizable([
      put(1, 1),
      put(2, 2),
      get(1, 3, 4),
      get(2, 5, 6),
      get(1, 7, 8),
    ]),
  );
});

Deno.test("example replicated_store is linearizable under partitions and crashes", async () => {
  const histories: Operation[][] = [];
  for (let seed = 101; seed <= 115; seed++) {
    const history = await runStore({ seed });
    assert(isLinearizable(history), `seed ${seed}`);
    histories.push(history);
  }
  const all = histories.flat();
  // It answers in spite of them, and does not do so by refusing all.
  const answered = all.filter(({ end }) => end < Infinity);
  assert(answered.length > all.length * 0.9);
  assert(answered.some(({ kind, value }) => kind === "get" && value > 0));
});

Deno.test("example replicated_store shows the same for the same seed", async () => {
  assertEquals(await runStore({ seed: 7 }), await runStore({ seed: 7 }));
});

Deno.test("example replicated_store with leaders that ignore the end of their lease is found out", async () => {
  const seed = await findFault(1000, { ignoresLease: true });
  assert(seed !== null);
  // The seed brings the failure back, and the lease mends it.
  assert(!isLinearizable(await runStore({ seed, ignoresLease: true })));
  assert(isLinearizable(await runStore({ seed })));
});

Deno.test("example replicated_store prints what it has found", async () => {
  const { code, stdout, stderr } = await runProgram(
    "../../examples/replicated_store",
    { env: { ASYNCIO_DEBUG: "0" } },
  );
  assertEquals(
    stdout,
    [
      "The store: 25 runs, and each is linearizable",
      "With leaders that ignore the end of their lease: run 11 is not",
      "",
    ].join("\n"),
  );
  assertEquals(stderr, "");
  assertEquals(code, 0);
});
