// node: skip the harness runs on Deno
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

async function bench(
  ...args: readonly string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
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
    env: { NO_COLOR: "1" },
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

Deno.test("the benchmarks have an id each, and say what they do not know", async () => {
  const { code, stdout } = await bench("--list");
  assertEquals(code, 0);
  const ids = stdout.trimEnd().split("\n").map((line) => line.split(" ")[0]);
  assertEquals(ids.length, new Set(ids).size);
  const unknown = await bench("--colour");
  assertEquals(unknown.code, 2);
  assertStringIncludes(unknown.stderr, "--colour");
});
