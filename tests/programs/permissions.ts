// Uses one part of the library, as `permissions_docs_test.ts` asks.
import {
  createSubprocessExec,
  createSubprocessShell,
  getaddrinfo,
  openConnection,
  openDatagram,
  prefork,
  run,
  sendfile,
  signals,
  startInspector,
  startServer,
  STDOUT,
  taskGroup,
  toThread,
} from "@asyncio/asyncio";
import { openSqliteQueue } from "@asyncio/asyncio/durable";

const [part = "", file = ""] = Deno.args;
const LOOPBACK = { hostname: "127.0.0.1", port: 0 };

const PARTS: Readonly<Record<string, () => Promise<unknown>>> = {
  tasks: async () => {
    await taskGroup((group) => void group.createTask(() => {}));
    await toThread((n) => n + 1, 1);
    const heard = signals("SIGUSR2")[Symbol.asyncIterator]();
    await heard.return?.();
  },
  connections: () => serve(LOOPBACK),
  datagrams: async () => {
    (await openDatagram({ localAddr: LOOPBACK })).close();
  },
  names: () => getaddrinfo("localhost", 80),
  unix: () => serve({ path: file }),
  sendfile: () => serve(LOOPBACK, file),
  program: async () => await (await createSubprocessExec("true")).wait(),
  shell: async () => {
    const child = await createSubprocessShell("true", { stderr: STDOUT });
    await child.wait();
  },
  inspector: async () => await (await startInspector()).close(),
  durable: async () => {
    const queue = await openSqliteQueue<string>(`${file}.db`);
    await queue.put("job");
    await queue.close();
  },
  prefork: async () => {
    const script = new URL("permissions_worker.ts", import.meta.url);
    const isUp = new AbortController();
    const onLog = () => isUp.abort("up");
    await prefork({ script, workers: 1, signal: isUp.signal, onLog }).catch(
      (error) => {
        if (error !== "up") throw error;
      },
    );
  },
};

/** Takes one connection, and sends it a file or nothing. */
async function serve(
  place: { hostname: string; port: number } | { path: string },
  sent?: string,
): Promise<void> {
  await using server = await startServer(async (_reader, writer) => {
    if (sent !== undefined) await sendfile(writer.transport, sent);
    writer.close();
  }, place);
  const [reader, writer] = await openConnection(
    "path" in place ? place : { ...place, port: server.port },
  );
  const received = await reader.read(-1);
  writer.close();
  if (sent !== undefined && received.length === 0) Deno.exit(1);
}

await run(async () => {
  await PARTS[part]!();
});
console.log("done");
