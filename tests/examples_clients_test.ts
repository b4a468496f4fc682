// node: skip the examples are programs for Deno
import { sleep } from "@asyncio/asyncio";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { crawl, makeSite } from "../examples/crawler.ts";
import { compare, makeService } from "../examples/rate_limited_client.ts";
import { withMemoryServer } from "./_support/memory_server.ts";
import { runProgram } from "./_support/programs.ts";
import { now, virtual } from "./_support/virtual.ts";

/** Crawls in memory for so long; tells what it printed, and when all had ended. */
async function crawlInMemory(
  ms: number,
): Promise<{ printed: string[]; said: string[]; end: number }> {
  const printed: string[] = [];
  const said: string[] = [];
  await withMemoryServer(makeSite(), (connect) =>
    crawl(ms, connect, {
      print: (line) => printed.push(line),
      say: (line) => said.push(line),
    }));
  return { printed, said, end: now() };
}

/** The lines about one page, without the times. */
function about(path: string, said: readonly string[]): string[] {
  return said.map((line) => line.replace(/^ *\d+ ms {2}/, ""))
    .filter((line) => line.match(/\/[^,: ]*/)?.[0] === path);
}

const FOUND = [
  "/: Home",
  "/docs/1: Tasks",
  "/docs/2: Streams",
  "/docs/3: Queues",
  "/docs: Documentation",
  "/news: News",
];

Deno.test(
  "example crawler gets each page once and gives up what never comes",
  virtual(async () => {
    const { printed, said } = await crawlInMemory(60_000);
    assertEquals(printed.toSorted(), FOUND);
    assertEquals(about("/archive", said), [
      ...Array(3).fill([
        "GET /archive, for 500 ms",
        "/archive: too slow, again",
      ]).flat(),
      "GET /archive, for 500 ms",
      "/archive: too slow, given up",
    ]);
    assertMatch(said.at(-1)!, /^ *\d+ ms {2}Done$/);
  }),
);

Deno.test(
  "example crawler tries again where the server is busy, not what is lost",
  virtual(async () => {
    const { said } = await crawlInMemory(60_000);
    assertEquals(about("/news", said), [
      "GET /news, for 500 ms",
      "/news: 503 Busy, again",
      "GET /news, for 500 ms",
      "/news: 503 Busy, again",
      "GET /news, for 500 ms",
    ]);
    assertEquals(about("/lost", said), [
      "GET /lost, for 500 ms",
      "/lost: 404 Not Found, given up",
    ]);
  }),
);

Deno.test(
  "example crawler passes its deadline on, and nothing goes on after it",
  virtual(async () => {
    const { said, end } = await crawlInMemory(700);
    const [, last] = about("/archive", said)
      .filter((line) => line.startsWith("GET"));
    // It began between 570 and 620 ms, by the jitter.
    assertMatch(last!, /^GET \/archive, for ([89]\d|1[0-3]\d) ms$/);
    assertEquals(said.at(-1), " 700 ms  The time is over");
    // The page that takes a minute was stopped at the server, too.
    assert(end < 710, `it ended at ${end} ms`);
  }),
);

Deno.test(
  "example crawler has three pages in work at the most",
  virtual(async () => {
    let active = 0;
    let most = 0;
    const links = Array.from({ length: 10 }, (_, i) => `<a href="/${i}">`);
    await withMemoryServer(async (reader, writer) => {
      most = Math.max(most, ++active);
      await reader.readUntil("\r\n\r\n");
      await sleep(20);
      active--;
      writer.write(`HTTP/1.0 200 OK\r\n\r\n${links.join("")}`);
      writer.close();
    }, (connect) => crawl(60_000, connect, { print: () => {}, say: () => {} }));
    assertEquals(most, 3);
  }),
);

Deno.test("example crawler prints pages, and says on stderr how it goes", async () => {
  const { code, stdout, stderr } = await runProgram("../../examples/crawler", {
    args: ["60000"],
    env: { ASYNCIO_DEBUG: "0" },
  });
  assertEquals(stdout.trimEnd().split("\n").sort(), FOUND);
  const said = stderr.trimEnd().split("\n");
  for (const line of said) assertMatch(line, /^ *\d+ ms {2}\S/);
  assertEquals(about("/archive", said).at(-1), "/archive: too slow, given up");
  assertEquals(code, 0);
});

const REPORT =
  /^As fast as it can: 30 answers, (\d+) refusals\nAt the rate: 30 answers, (\d+) refusals$/;

Deno.test(
  "example rate_limited_client is refused nothing at the rate",
  virtual(async () => {
    const lines: string[] = [];
    await withMemoryServer(
      makeService(),
      (connect) => compare(connect, (line) => lines.push(line)),
    );
    const [, fast, atTheRate] = lines.join("\n").match(REPORT) ?? [];
    assert(Number(fast) > 0, lines.join("\n"));
    assertEquals(atTheRate, "0");
    // Thirty at ten in 250 ms, after ten that were not asked.
    assert(now() >= 750);
  }),
);

Deno.test("example rate_limited_client has all its answers", async () => {
  const { code, stdout, stderr } = await runProgram(
    "../../examples/rate_limited_client",
    { env: { ASYNCIO_DEBUG: "0" } },
  );
  // How many are refused is a matter of the machine.
  assertMatch(stdout.trimEnd(), REPORT);
  assertEquals(stderr, "");
  assertEquals(code, 0);
});
