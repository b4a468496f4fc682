import { openConnection, run, startServer, taskGroup } from "@asyncio/asyncio";
import { assert, assertEquals } from "@std/assert";
import { heldMemory } from "./_support/gc.ts";
import { builtin, LOCAL, shut, until } from "./_support/net.ts";

const CLIENT = `import asyncio, resource, sys
async def main(port, count, size):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    streams = []
    for _ in range(count):
        streams.append(await asyncio.open_connection("127.0.0.1", port))
    print("open"); sys.stdin.readline()
    async def talk(r, w):
        for _ in range(3):
            w.write(b"x" * size); assert await r.readexactly(size) == b"x" * size
    await asyncio.gather(*(talk(*s) for s in streams))
    print("talked"); sys.stdin.readline()
asyncio.run(main(*map(int, sys.argv[1:])))`;

const { process } = globalThis as unknown as {
  process: { memoryUsage(): { rss: number } };
};

function limitOfFiles(): number {
  const text = builtin("node:fs").readFileSync("/proc/self/limits", "utf8");
  return Number(text.match(/Max open files\s+(\d+)/)?.[1] ?? 1024);
}

Deno.test("10,000 connections at once exchange messages", async () => {
  const count = Math.min(10_000, limitOfFiles() - 200);
  if (count < 10_000) console.log(`scaled to ${count}, the descriptor limit`);
  await run(async () => {
    let open = 0;
    const server = await startServer(async (reader, writer) => {
      open++;
      for (;;) {
        const data = await reader.read(100);
        if (data.length === 0) break;
        writer.write(data);
      }
      open--;
      writer.close();
    }, LOCAL);
    const before = process.memoryUsage().rss;
    const client = builtin("node:child_process").spawn(
      "python3",
      ["-u", "-c", CLIENT, String(server.port), String(count), "64"],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    let output = "";
    client.stdout.on("data", (part) => output += part);
    await until(
      () => output.includes("open") && open === count,
      "10,000 connections",
      50_000,
    );
    const each = (process.memoryUsage().rss - before) / count;
    assert(each < 40_000, `${each} bytes a connection`);
    client.stdin.write("\n");
    await until(() => output.includes("talked"), "the answers", 50_000);
    assertEquals(open, count);
    client.stdin.end("\n");
    await until(() => open === 0);
    await shut(server);
  });
});

Deno.test("a server that reads nothing holds little of what is sent", async () => {
  await run(async () => {
    const server = await startServer(() => {}, LOCAL);
    const before = process.memoryUsage().rss;
    const client = builtin("node:child_process").spawn("python3", [
      "-u",
      "-c",
      `import socket, sys
c = socket.create_connection(("127.0.0.1", ${server.port})); c.settimeout(0.3)
sent = 0; data = b"x" * 1000000
try:
    while sent < 10**9: sent += c.send(data)
except TimeoutError: pass
print(f"sent {sent} bytes"); sys.stdin.readline()`,
    ], { stdio: ["pipe", "pipe", "inherit"] });
    let output = "";
    client.stdout.on("data", (part) => output += part);
    await until(() => output.includes("bytes"));
    // What the system itself holds is on its own account.
    assert(Number(output.split(" ")[1]) < 20_000_000, output);
    assert(process.memoryUsage().rss - before < 16_000_000);
    client.stdin.end("\n");
    await shut(server);
    await new Promise((resolve) => client.once("close", resolve));
  });
});

Deno.test("1,000 connections with a slow side stay within 400 MB, both ends together", async () => {
  await run(async () => {
    const server = await startServer(async (_reader, writer) => {
      try {
        for (;;) {
          writer.write(new Uint8Array(16_384));
          await writer.drain();
        }
      } catch {
        writer.close();
      }
    }, LOCAL);
    const before = await heldMemory();
    const writers: { transport: { abort(): void } }[] = [];
    await taskGroup((group) => {
      for (let i = 0; i < 1000; i++) {
        group.createTask(async () => {
          const [, writer] = await openConnection({
            ...LOCAL,
            port: server.port,
          });
          writers.push(writer);
        });
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const grown = (await heldMemory() - before) / 1e6;
    for (const { transport } of writers) transport.abort();
    await shut(server);
    assert(grown < 400, `${grown} MB for both ends of 1,000 connections`);
  });
});
