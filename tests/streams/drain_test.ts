/** How a listener comes to its end in a worker that stops: see `workers/`. */
import { assertEquals } from "@std/assert";
import { hostNet } from "../../platform/net.ts";
import type { HostConnection } from "../../platform/types/net.ts";
import { CA, CERT, KEY } from "../_support/certificates.ts";
import { builtin, connectRaw, freePort, until } from "../_support/net.ts";

const PLACE = {
  hostname: "127.0.0.1",
  // One from which no client connects, so that it is refused when it is closed.
  port: await freePort(),
  reusePort: false,
  backlog: null,
};
const SOCKETS = { noDelay: true, keepAlive: false };

Deno.test("what waits to be accepted is, before a listener ends", async () => {
  const listener = await hostNet.listen(PLACE, SOCKETS, null);
  const { port } = listener.address as { port: number };
  const connections: HostConnection[] = [];
  listener.start((connection) => connections.push(connection), () => {});
  const sockets = await Promise.all(
    Array.from({ length: 20 }, () => connectRaw(port)),
  );
  await listener.drain();
  assertEquals(connections.length, 20);
  const refused = await connectRaw(port).then(() => null, (error) => error);
  assertEquals(refused.code, "ECONNREFUSED");
  for (const connection of connections) connection.abort();
  for (const socket of sockets) socket.destroy();
});

Deno.test("a client that shakes hands may end that", async () => {
  const tls = {
    cert: CERT,
    key: KEY,
    handshakeTimeout: 60_000,
    shutdownTimeout: 30_000,
  };
  const listener = await hostNet.listen(PLACE, SOCKETS, tls);
  const { port } = listener.address as { port: number };
  const connections: HostConnection[] = [];
  listener.start((connection) => connections.push(connection), () => {});
  const raw = await connectRaw(port);
  let isDrained = false;
  const drained = listener.drain().then(() => {
    isDrained = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 30));
  assertEquals(isDrained, false);
  const client = builtin("node:tls").connect({
    socket: raw,
    ca: CA,
    servername: "localhost",
  });
  client.on("error", () => {});
  await drained;
  assertEquals(connections.length, 1);
  for (const connection of connections) connection.abort();
  client.destroy();
  raw.destroy();
  await until(() => raw.destroyed);
});
