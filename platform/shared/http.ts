/**
 * HTTP over `node:http`. Deno has it as well: a response of `Deno.serve` that is
 * not at its end would keep the program alive, whatever is unreferenced.
 */
import { mapError } from "../map_error.ts";
import type {
  HostHttp,
  HttpAnswer,
  HttpRequest,
  HttpServer,
} from "../types/http.ts";
import { builtin } from "./builtin.ts";

type Server = import("node:http").Server;
type Response = import("node:http").ServerResponse;
type Socket = import("node:net").Socket;

/** HTTP servers on Deno, Node and Bun. */
export const http: HostHttp = {
  serve({ hostname, port, action }, answer) {
    const { createServer } = builtin("node:http");
    const server = createServer((request, response) => {
      // What comes with a request is not looked at.
      request.resume();
      const asked: HttpRequest = {
        method: request.method ?? "",
        port: (server.address() as { port: number } | null)?.port ?? 0,
        target: request.url ?? "",
        header: (name) => {
          const value = request.headers[name];
          return typeof value === "string" ? value : value?.join(", ");
        },
      };
      send(answer(asked), response);
    });
    const sockets = new Set<Socket>();
    server.on("connection", (socket) => {
      socket.unref?.();
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    });
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => reject(mapError(error, action));
      server.once("error", fail);
      server.listen({ host: hostname, port }, () => {
        server.removeListener("error", fail);
        server.unref();
        resolve(new NodeServer(server, sockets));
      });
    });
  },
};

class NodeServer implements HttpServer {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: ReadonlySet<Socket>;
  #closing: Promise<void> | null = null;

  constructor(server: Server, sockets: ReadonlySet<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    this.port = (server.address() as { port: number }).port;
  }

  close(): Promise<void> {
    return this.#closing ??= new Promise((resolve) => {
      // Who waits for the end is not to be left alone.
      this.#server.ref();
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
      for (const socket of this.#sockets) socket.destroy();
    });
  }
}

function send({ status, headers, body }: HttpAnswer, response: Response): void {
  response.writeHead(status, headers);
  if (typeof body === "string") {
    response.end(body);
    return;
  }
  response.flushHeaders();
  const { ended } = body({
    get isBehind() {
      return response.writableNeedDrain;
    },
    write: (text) => void response.write(text),
  });
  response.once("close", ended);
}
