import {
  getRunningLoop,
  simulate,
  type SimulateOptions,
  sleep,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertRejects } from "@std/assert";

/** All that is left to chance. */
function chances(): unknown[] {
  return [
    Math.random(),
    crypto.randomUUID(),
    [...crypto.getRandomValues(new Uint16Array(3))],
  ];
}

const drawn = (options: SimulateOptions) =>
  simulate((sim) => [...chances(), sim.random()], options);

Deno.test("chance inside of a simulation comes from its seed", async () => {
  const first = await drawn({ seed: 1 });
  assertEquals(await drawn({ seed: 1 }), first);
  const other = await drawn({ seed: 2 });
  for (const [i, value] of other.entries()) {
    assert(String(value) !== String(first[i]));
  }
  assertEquals(first, GOLDEN);
});

/** The same on every runtime. */
const GOLDEN: unknown[] = [
  0.2469612038694322,
  "b188ea66-bc17-41a2-9928-0030161369ee",
  [22065, 19370, 34480],
  0.6270739405881613,
];

Deno.test("a UUID inside of a simulation is one of version 4", async () => {
  const uuid = await simulate(() => crypto.randomUUID());
  const form =
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  assert(form.test(uuid), uuid);
});

Deno.test("getRandomValues() inside of a simulation fills what it is given, and no more", async () => {
  await simulate(async () => {
    const bytes = new Uint8Array(12);
    const part = bytes.subarray(4, 8);
    assert(crypto.getRandomValues(part) === part);
    assertEquals(
      [...bytes.subarray(0, 4), ...bytes.subarray(8)],
      Array(8).fill(0),
    );
    assert(part.some((byte) => byte !== 0));
    await assertRejects(
      async () => void crypto.getRandomValues(new Float32Array(1) as never),
    );
  });
});

Deno.test("the date inside of a simulation begins in the year 2000 and goes by virtual time", async () => {
  const before = Date.now();
  await simulate(async () => {
    const start = Date.UTC(2000, 0, 1);
    assertEquals(Date.now(), start);
    await sleep(1500.5);
    assertEquals(Date.now(), start + 1500);
    assertEquals(new Date().getTime(), start + 1500);
    assertEquals(new Date(5).getTime(), 5);
    assertEquals(Date(), new Date(start + 1500).toString());
    assert(new Date() instanceof Date);
    class Day extends Date {}
    assert(new Day() instanceof Day);
    assertEquals(new Day().getTime(), start + 1500);
    assertEquals(Date.parse("1970-01-01"), 0);
  });
  assert(Date.now() >= before);
});

Deno.test("a host's clock is as far ahead as it was said, and its timers are not", async () => {
  await simulate(async (sim) => {
    const seen: number[] = [];
    const look = async () => {
      await sleep(10);
      seen.push(Date.now() - Date.UTC(2000, 0, 1), getRunningLoop().time());
    };
    sim.host("early", look, { clockSkew: 5000 });
    sim.host("late", look, { clockSkew: -3 });
    await sim.join("early");
    await sim.join("late");
    assertEquals(seen, [5010, 10, 7, 10]);
  });
});

Deno.test("globals are put back after a simulation, also if it throws", async () => {
  const all = () => [
    Math.random,
    Date,
    Date.now,
    crypto.getRandomValues,
    crypto.randomUUID,
    Object.getOwnPropertyNames(crypto).join(),
  ];
  const before = all();
  await simulate(() => {});
  assertEquals(all().map((each, i) => each === before[i]), Array(6).fill(true));
  await assertRejects(() =>
    simulate(() => {
      throw new RangeError("no");
    })
  );
  assertEquals(all().map((each, i) => each === before[i]), Array(6).fill(true));
});

Deno.test("simulations at the same time, and code outside, do not disturb each other", async () => {
  const alone = await simulate(several, { seed: 1 });
  const outside: number[] = [];
  const around = (async () => {
    for (let i = 0; i < 20; i++) {
      outside.push(Math.random(), Date.now());
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  })();
  const [first, second] = await Promise.all([
    simulate(several, { seed: 1 }),
    simulate(several, { seed: 2 }),
  ]);
  await around;
  assertEquals(first, alone);
  assert(second.join() !== first.join());
  const year = new Date(outside[1]!).getFullYear();
  assert(year > 2020, `${year}`);
});

async function several(): Promise<number[]> {
  const drawn: number[] = [];
  for (let i = 0; i < 10; i++) {
    drawn.push(Math.random(), Date.now());
    await sleep(5);
  }
  return drawn;
}
