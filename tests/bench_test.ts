// node: skip the harness runs on Deno
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Report, toMarkdown } from "../bench/results_file.ts";

const ROOT = new URL("../", import.meta.url);

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function bench(...args: readonly string[]): Promise<Ended> {
  return benchWith({}, ...args);
}

async function benchWith(
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--quiet",
      "--config=bench/deno.json",
      "bench/main.ts",
      ...args,
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

Deno.test("a row of the benchmarks runs on our side and on bare promises", async () => {
  const { code, stdout, stderr } = await bench(
    "--filter=switch_one",
    "--peers=bare",
    "--rounds=2",
    "--sample-ms=1",
    "--json",
  );
  assertEquals(code, 0, stderr);
  const { results } = JSON.parse(stdout);
  const [{ id, peers, failed }] = results;
  assertEquals([results.length, id, failed], [1, "switch_one", {}]);
  assertEquals(
    peers.map(({ peer, rounds }: { peer: string; rounds: number[] }) => [
      peer,
      rounds.length,
    ]),
    [["ours", 2], ["bare", 2]],
  );
  assert(peers[1].ratio.low <= peers[1].ratio.high);
  assertStringIncludes(stderr, "target");
});

Deno.test("a row of the benchmarks runs on the node of PATH, and says if what it wants is not there", async () => {
  const args = ["--rows=switch_one", "--peers=bare", "--rounds=1"];
  const fast = ["--sample-ms=1", "--json"];
  const { code, stdout, stderr } = await bench("--node", ...args, ...fast);
  assertEquals(code, 0, stderr);
  const { peers, results } = JSON.parse(stdout);
  const [{ version }] = peers;
  assertStringIncludes(version, "Node ");
  assertEquals([results.length, results[0].failed], [1, {}]);
  const without = await benchWith({ PATH: "" }, "--bun", ...args);
  assertEquals(without.code, 1);
  assertStringIncludes(without.stderr, "no bun on PATH");
});

Deno.test("the benchmarks have an id each, and say what they do not know", async () => {
  const { code, stdout } = await bench("--list");
  assertEquals(code, 0);
  const ids = stdout.trimEnd().split("\n").map((line) => line.split(" ")[0]);
  assertEquals(ids.length, new Set(ids).size);
  const unknown = await bench("--colour");
  assertEquals(unknown.code, 2);
  assertStringIncludes(unknown.stderr, "--colour");
  const row = await bench("--rows", "timer,no_such_row");
  assertEquals(row.code, 2);
  assertStringIncludes(row.stderr, "no_such_row");
});

/** What a run printed that measured one row. */
function reportOf(
  id: string,
  { minutes = 1, rounds = 5, version = "a runtime" }: {
    minutes?: number;
    rounds?: number;
    version?: string;
  } = {},
): Report {
  return {
    date: "2026-01-02T03:04:05Z",
    minutes,
    machine: {
      os: "linux",
      arch: "x86_64",
      cores: 2,
      load: [0.5],
      deno: { deno: "2.9.6" },
    },
    rounds,
    peers: [{ name: "ours", version }],
    skipped: [{ name: "uvloop", reason: "not here" }],
    results: [{
      id,
      title: id,
      unit: "ns",
      peers: [{ peer: "ours", value: 1, size: 1, spread: 0, rounds: [1] }],
      targets: [],
      failed: {},
    }],
  };
}

Deno.test("the parts of a long run make one section a runtime", () => {
  const page = toMarkdown([
    reportOf("one", { minutes: 1.2, rounds: 7 }),
    reportOf("two", { minutes: 2, rounds: 5 }),
  ]);
  assertEquals(page.match(/^## .*/gm), ["## a runtime"]);
  assertStringIncludes(page, "at least 5 alternating rounds, 3.2 minutes.");
  assertEquals(page.match(/^- uvloop/gm)?.length, 1);
  assertEquals(page.match(/^\| (one|two) \|/gm)?.length, 2);
});

Deno.test("a run on one runtime leaves the results of the others as they are", () => {
  const earlier = toMarkdown([
    reportOf("one"),
    reportOf("two", { version: "another" }),
  ]);
  const page = toMarkdown([reportOf("three")], earlier);
  assertEquals(page.match(/^#+ .*/gm), [
    "# Results",
    "## a runtime",
    "## another",
  ]);
  assertEquals(page.match(/^\| (one|two|three) \|/gm), [
    "| three |",
    "| two |",
  ]);
  assertEquals(toMarkdown([], earlier), earlier);
});
