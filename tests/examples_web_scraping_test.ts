// node: skip the examples are programs for Deno
import { startServer, type StreamWriter } from "@asyncio/asyncio";
import {
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { getPage } from "../examples/web_scraping/async_page.ts";
import { startSimpleServer } from "../examples/web_scraping/simple_server.ts";
import { runProgram } from "./_support/programs.ts";

const FOLDER = new URL("../examples/web_scraping/", import.meta.url);

const UNIT = "--unit=50";

function runExample(
  name: string,
  ...args: readonly string[]
): Promise<string[]> {
  return watchExample(name, args, () => {});
}

/** The same, with each line told when it is printed. */
async function watchExample(
  name: string,
  args: readonly string[],
  onLine: (line: string) => void,
): Promise<string[]> {
  const { code, stdout, stderr } = await runProgram(
    `../../examples/web_scraping/${name}`,
    { args, env: { ASYNCIO_DEBUG: "0" }, onLine },
  );
  assertEquals(stderr, "");
  assertEquals(code, 0);
  return stdout.trimEnd().split("\n");
}

function assertPages(
  lines: readonly string[],
  waits: readonly number[],
  unit: number,
): void {
  assertEquals(
    lines.slice(0, -1),
    waits.map((wait) => `/${wait}: Voilà, after ${wait}`),
  );
  assertMatch(
    lines.at(-1)!,
    new RegExp(`^It took \\d+\\.\\d\\d s for units of ${unit} ms$`),
  );
}

const SEQUENTIAL = ["synchronous_client", "client_blocking"];
const CONCURRENT = ["client_nonblocking", "fetch_client"];
const CLIENTS = [...SEQUENTIAL, ...CONCURRENT];

Deno.test.each(SEQUENTIAL)(
  "example web_scraping/%s gets one page after the other",
  async (name) => assertPages(await runExample(name, UNIT), [1, 5, 3, 2], 50),
);

Deno.test.each(CONCURRENT)(
  "example web_scraping/%s gets all pages",
  async (name) => {
    const lines = await runExample(name, UNIT);
    const total = lines.pop()!;
    assertPages([...lines.sort(), total], [1, 2, 3, 5], 50);
  },
);

Deno.test.each(CONCURRENT)(
  "example web_scraping/%s gets all pages at once",
  async (name) => {
    const asked = new Map<string, StreamWriter>();
    const order = ["/2", "/5", "/1", "/3"];
    let answered = 0;
    const answerNext = () => {
      const writer = asked.get(order[answered++]!);
      writer?.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n");
      writer?.write("Connection: close\r\n\r\nhi");
      writer?.close();
    };
    await using server = await startServer(async (reader, writer) => {
      const line = new TextDecoder().decode(await reader.readLine());
      await reader.readUntil("\r\n\r\n");
      asked.set(line.split(" ")[1]!, writer);
      // The first answer when all are asked for, the next when that is printed.
      if (asked.size === order.length) answerNext();
    }, { hostname: "127.0.0.1" });
    const port = `--port=${server.port}`;
    const lines = await watchExample(name, [port], answerNext);
    assertEquals(lines.slice(0, -1), order.map((page) => `${page}: hi`));
  },
);

Deno.test.each(CLIENTS)(
  "example web_scraping/%s asks the server that it is given",
  async (name) => {
    const asked: string[] = [];
    await using server = await startServer(async (reader, writer) => {
      const line = new TextDecoder().decode(await reader.readLine());
      asked.push(line.split(" ")[1]!);
      await reader.readUntil("\r\n\r\n");
      writer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n");
      writer.write("Connection: close\r\n\r\nhi");
      writer.close();
    }, { hostname: "127.0.0.1" });
    const lines = await runExample(name, `--port=${server.port}`);
    assertEquals(asked.sort(), ["/1", "/2", "/3", "/5"]);
    assertEquals(
      lines.slice(0, -1).sort(),
      ["/1: hi", "/2: hi", "/3: hi", "/5: hi"],
    );
  },
);

Deno.test("example web_scraping/simple_server answers", async () => {
  assertEquals(await runExample("simple_server", UNIT), [
    "GET /3",
    "HTTP/1.1 200 OK",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Length: 16",
    "Connection: close",
    "",
    "Voilà, after 3",
  ]);
});

Deno.test("example web_scraping/simple_server serves until Ctrl-C", async () => {
  let got = "";
  const { code, stdout } = await runProgram(
    "../../examples/web_scraping/simple_server",
    {
      args: ["--port=0", UNIT],
      onLine: async (line, send) => {
        const [url] = line.match(/http:\S+/) ?? [];
        const response = await fetch(`${url}1`);
        got = await response.text();
        send("SIGINT");
      },
    },
  );
  assertEquals(got, "Voilà, after 1\n");
  assertMatch(stdout, /^Serving at \S+ until Ctrl-C\n$/);
  assertEquals(code, 130);
});

Deno.test("example web_scraping/async_page decodes by the header", async () => {
  const lines = await runExample("async_page", UNIT);
  assertEquals(lines.slice(0, -1), [
    '200 OK, in utf-8: "Voilà, after 0"',
    '200 OK, in latin1: "Voilà, after 0"',
    '404 Not Found, in utf-8: "Ask for GET /3"',
  ]);
});

Deno.test("getPage() of the simple server", async () => {
  await using server = await startSimpleServer({ unit: 1 });
  const { status, headers, charset, text } = await getPage(
    server.port,
    "/2?charset=latin1",
  );
  assertEquals(status, "200 OK");
  // One byte for each character, so it was no UTF-8.
  assertEquals(headers.get("content-length"), `${text.length}`);
  assertEquals(charset, "latin1");
  assertEquals(text, "Voilà, after 2\n");
});

const BYTES = Uint8Array.of(0xa4, 0xe9);

Deno.test.each([
  ["text/html; charset=ISO-8859-15", "€é"],
  ['text/html; x=1; Charset="koi8-r"', "╓И"],
  ["text/html;charset=windows-1252; x=1", "¤é"],
  ["text/html", "\ufffd\ufffd"],
])("getPage() with Content-Type %s", async (type, expected) => {
  await using server = await startServer(async (reader, writer) => {
    await reader.readUntil("\r\n\r\n");
    writer.write(`HTTP/1.0 200 OK\r\ncontent-type:${type}\r\n\r\n`);
    writer.write(BYTES);
    writer.close();
  }, { hostname: "127.0.0.1" });
  const { text } = await getPage(server.port, "/");
  assertEquals(text, expected);
});

Deno.test("getPage() of what is no HTTP", async () => {
  await using server = await startServer(async (reader, writer) => {
    await reader.readUntil("\r\n\r\n");
    writer.write("220 mail\r\n");
    writer.close();
  }, { hostname: "127.0.0.1" });
  await assertRejects(
    () => getPage(server.port, "/"),
    Error,
    "does not speak HTTP",
  );
});

const NAMES: readonly string[] = [...Deno.readDirSync(FOLDER)]
  .map(({ name }) => name.replace(".ts", ""))
  .filter((name) => !name.startsWith("_"))
  .sort();

Deno.test("each example of web scraping has a test", () => {
  assertEquals(NAMES, [...CLIENTS, "async_page", "simple_server"].sort());
});

Deno.test.each([...NAMES])(
  "example web_scraping/%s says how to run it",
  async (name) => {
    const text = await Deno.readTextFile(new URL(`${name}.ts`, FOLDER));
    assertStringIncludes(
      text,
      `\n *     deno task example web_scraping/${name}`,
    );
    assertStringIncludes(text, 'from "@asyncio/asyncio"');
  },
);
