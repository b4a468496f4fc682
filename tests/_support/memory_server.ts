/** A server without a socket, so that its clients run in virtual time. */
import {
  type StreamReader,
  type StreamWriter,
  taskGroup,
} from "@asyncio/asyncio";
import { type MemoryStream, memoryStreamPair } from "@asyncio/asyncio/testing";

/**
 * Calls `fn` with what opens a connection to `handle`, and returns when all
 * connections have been handled.
 */
export async function withMemoryServer(
  handle: (reader: StreamReader, writer: StreamWriter) => Promise<void>,
  fn: (connect: () => Promise<MemoryStream>) => Promise<void>,
): Promise<void> {
  await taskGroup(async (group) => {
    await fn(() => {
      const [client, server] = memoryStreamPair();
      group.createTask(() => handle(...server));
      return Promise.resolve(client);
    });
  });
}
