import type { Transport } from "@asyncio/asyncio";
import { Skip } from "../skip.ts";
import type { Load, MeasuredRow, Measurement, Target } from "../types.ts";
import { nanosecondsPerRequest } from "../wrk.ts";
import {
  LOCAL,
  type Serve,
  serveByProtocol,
  serveByStreams,
} from "./_servers.ts";

const TEXT = "Hello, world!";

/** As long as what Deno.serve answers for the same text, so that all send the same number of bytes. */
const RESPONSE = new TextEncoder().encode([
  "HTTP/1.1 200 OK",
  "content-type: text/plain;charset=UTF-8",
  `content-length: ${TEXT.length}`,
  "date: Sun, 29 Nov 2026 12:00:00 GMT",
  "",
  TEXT,
].join("\r\n"));
const HEAD_END = new TextEncoder().encode("\r\n\r\n");

/** The part of Deno's HTTP server that its peer uses. */
interface Host {
  readonly Deno?: {
    serve(
      options: object,
      handler: () => Response,
    ): { readonly addr: { readonly port: number } };
  };
}

function asked(serve: Serve): Load<Measurement> {
  return async () => {
    const port = await serve();
    return async (size) => {
      const seconds = Math.max(1, Math.round(size / REQUESTS_A_SECOND));
      return { request: await nanosecondsPerRequest(port, seconds) };
    };
  };
}

/** About as many as the servers answer: a run of so many takes a second. */
const REQUESTS_A_SECOND = 75_000;

async function serveStreams(): Promise<number> {
  const { ConnectionResetError, IncompleteReadError } = await import(
    "@asyncio/asyncio"
  );
  return await serveByStreams(async (reader, writer) => {
    try {
      for (;;) {
        await reader.readUntil(HEAD_END);
        writer.write(RESPONSE);
        await writer.drain();
      }
    } catch (error) {
      // wrk closes when its time is over, without reading its last answers.
      const isOver = error instanceof IncompleteReadError ||
        error instanceof ConnectionResetError;
      if (!isOver) throw error;
    }
    writer.close();
  });
}

function serveProtocol(): Promise<number> {
  return serveByProtocol(({ Protocol }) =>
    class extends Protocol {
      #transport!: Transport;
      #end: Uint8Array = new Uint8Array(0);
      override connectionMade(transport: Transport): void {
        this.#transport = transport;
      }
      override dataReceived(data: Uint8Array): void {
        // The head of a request nearly always comes whole.
        const tail = this.#end.length === 0 ? data : joined(this.#end, data);
        if (endsHead(tail)) {
          this.#end = tail.subarray(0, 0);
          this.#transport.write(RESPONSE);
        } else {
          this.#end = tail.slice(-HEAD_END.length + 1);
        }
      }
    }
  );
}

/** Whether a head of a request ends here: a client that waits for its answer sends nothing after it. */
function endsHead(bytes: Uint8Array): boolean {
  const from = bytes.length - HEAD_END.length;
  return from >= 0 && HEAD_END.every((byte, i) => bytes[from + i] === byte);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

function serveDeno(): Promise<number> {
  const { Deno } = globalThis as Host;
  if (Deno === undefined) throw new Skip("only on Deno");
  const server = Deno.serve(
    { hostname: LOCAL, port: 0, onListen() {} },
    () => new Response(TEXT),
  );
  return Promise.resolve(server.addr.port);
}

async function serveNode(): Promise<number> {
  const { createServer } = await import("node:http");
  const server = createServer((_request, response) => {
    response.writeHead(200, {
      "content-type": "text/plain;charset=UTF-8",
      "content-length": TEXT.length,
    });
    response.end(TEXT);
  });
  await new Promise<void>((resolve) => server.listen(0, LOCAL, resolve));
  return (server.address() as { port: number }).port;
}

function http(
  id: string,
  title: string,
  serve: Serve,
  targets: readonly Target[],
): MeasuredRow {
  return {
    kind: "measured",
    id,
    title: `${title}, 100 connections kept alive, under wrk`,
    size: 3 * REQUESTS_A_SECOND,
    python: true,
    metrics: [{ name: "request", unit: "ns", targets }],
    notes: {
      ours: "finds the end of the head, and answers with fixed bytes",
      "deno-serve": "parses the request; the same text",
      "node-http": "parses the request; the same text, with two headers more",
    },
    peers: {
      ours: asked(serve),
      "deno-serve": asked(serveDeno),
      "node-http": asked(serveNode),
    },
  };
}

/** Work as a server of HTTP does it, by streams. */
export const httpStreams: MeasuredRow = http(
  "http_streams",
  "a small request of HTTP by streams",
  serveStreams,
  [
    { peer: "deno-serve", atLeast: 0.85 },
    { peer: "uvloop", atLeast: 1.1 },
  ],
);

/** The same by protocols. */
export const httpProtocol: MeasuredRow = http(
  "http_protocol",
  "a small request of HTTP by protocols",
  serveProtocol,
  [{ peer: "deno-serve", atLeast: 0.95 }],
);
