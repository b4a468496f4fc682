/**
 * The clients of the rows about TLS, in a process of their own. They are Deno's, which cost about as much as a server, so
 * these rows measure the processor's time of the server.
 *
 *     load_tls.ts PORT CONNECTIONS SEND_BYTES RECEIVE_BYTES
 *
 * reads commands from its standard input, a line each, and answers `done`:
 *
 *     exchange N   sends a message of SEND_BYTES and waits for RECEIVE_BYTES, N times over all connections
 *     connect N    connects N times, one after the other, exchanges a message over each connection and closes it
 */

import { obey } from "./commands.ts";

const [port = 0, connections = 0, sendBytes = 0, receiveBytes = 0] = Deno.args
  .map(Number);
const hostname = "127.0.0.1";
const certificate = await Deno.readTextFile(
  `${Deno.env.get("BENCH_TLS")}/cert.pem`,
);
const message = new Uint8Array(sendBytes).fill(97);
const received = new Uint8Array(65_536);

async function open(): Promise<Deno.TlsConn> {
  const conn = await Deno.connect({ hostname, port });
  // A connection that was made for TLS cannot be told.
  conn.setNoDelay();
  return await Deno.startTls(conn, { hostname, caCerts: [certificate] });
}

async function once(conn: Deno.TlsConn): Promise<void> {
  await Promise.all([write(conn), read(conn)]);
}

async function write(conn: Deno.TlsConn): Promise<void> {
  let sent = await conn.write(message);
  while (sent < sendBytes) sent += await conn.write(message.subarray(sent));
}

async function read(conn: Deno.TlsConn): Promise<void> {
  for (let left = receiveBytes; left > 0;) {
    const count = await conn.read(received);
    if (count === null) throw new Error("The server hung up");
    left -= count;
  }
}

const conns = await Promise.all(Array.from({ length: connections }, open));

async function exchange(total: number): Promise<void> {
  let begun = 0;
  await Promise.all(conns.map(async (conn) => {
    while (begun++ < total) await once(conn);
  }));
}

async function connect(total: number): Promise<void> {
  for (let i = 0; i < total; i++) {
    const conn = await open();
    await once(conn);
    conn.close();
  }
}

await obey({ exchange, connect });
Deno.exit(0);
