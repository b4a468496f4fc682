import { assertEquals, assertLess } from "@std/assert";
import { MessageChannel } from "node:worker_threads";
import { toThread, transfer, WorkerPoolExecutor } from "@asyncio/asyncio";

/** How many bytes of its heap a worker has ever taken. */
async function allocated(): Promise<number> {
  const { getHeapStatistics } = await import("node:v8");
  const { total_allocated_bytes } = getHeapStatistics() as unknown as {
    total_allocated_bytes: number;
  };
  return total_allocated_bytes;
}

Deno.test({
  name: "a worker does not look at each element of an array that it is given",
  // Only Deno does so, and tells how much was allocated on the way.
  ignore: !("Deno" in globalThis),
  async fn() {
    await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
    await executor.submit(allocated);
    const before = await executor.submit(allocated);
    const bytes = new Uint8Array(2 ** 20);
    assertEquals(
      await executor.submit((given: Uint8Array) => given.length, bytes),
      2 ** 20,
    );
    // A name for each element takes 40 MB.
    assertLess(await executor.submit(allocated) - before, 10 * 2 ** 20);
  },
});

Deno.test("a job has a message port as node:worker_threads gives it", async () => {
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((resolve) => port1.once("message", resolve));
  const methods = await toThread(
    ({ port }) => {
      port.once("message", (text) => {
        port.postMessage(`${text} back`);
        port.close();
      });
      return [typeof port.on, typeof port.off, typeof port.unref];
    },
    transfer({ port: port2 }, [port2 as never]),
  );
  assertEquals(methods, ["function", "function", "function"]);
  port1.postMessage("there and");
  assertEquals(await answer, "there and back");
  port1.close();
});
