/**
 * A worker: answers each line with its number, its process and the line. Some
 * lines ask for more.
 */
import { argv, exit, pid } from "node:process";
import { run, sleep, startServer, workerInfo } from "@asyncio/asyncio";

const info = workerInfo()!;

function block(ms: number): void {
  console.log("blocking");
  for (const end = performance.now() + ms; performance.now() < end;);
}

async function answer(line: string): Promise<string> {
  const [word, ms = "0"] = line.split(" ");
  if (word === "sleep") await sleep(Number(ms));
  if (word === "block") block(Number(ms));
  if (word === "crash") exit(3);
  return line;
}

await run(async () => {
  const server = await startServer(async (reader, writer) => {
    try {
      for await (const line of reader) {
        const text = await answer(new TextDecoder().decode(line).trimEnd());
        const isLast = info.stopping.aborted;
        const who = `${info.number}/${info.workers} ${pid}`;
        writer.write(`${who}${isLast ? " bye" : ""} ${text}\n`);
        await writer.drain();
        if (isLast) break;
      }
    } finally {
      writer.close();
    }
  }, { hostname: "127.0.0.1", port: Number(argv[2]), reusePort: true });
  console.log("serving");
  try {
    await server.serveForever();
  } finally {
    console.error("through");
  }
});
