/** Two ends of a TCP connection, through Node's module that both runtimes have. */
import { connect, createServer, type Socket } from "node:net";

/** A connected pair of sockets. */
export interface SocketPair {
  readonly client: Socket;
  readonly server: Socket;
  /** Closes both, and the server they were made with. */
  close(): Promise<void>;
}

/** Connects two sockets to each other. */
export async function connectSockets(): Promise<SocketPair> {
  const listener = createServer();
  await new Promise<void>((resolve) =>
    listener.listen(0, "127.0.0.1", () => resolve())
  );
  const accepted = new Promise<Socket>((resolve) =>
    listener.once("connection", resolve)
  );
  const { port } = listener.address() as { port: number };
  const client = connect(port, "127.0.0.1");
  const server = await accepted;
  client.setNoDelay(true);
  return {
    client,
    server,
    async close() {
      const ends = [client, server, listener].map((each) =>
        new Promise((resolve) => each.once("close", resolve))
      );
      client.destroy();
      server.destroy();
      listener.close();
      await Promise.all(ends);
    },
  };
}
