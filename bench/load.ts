/**
 * The clients of the socket rows, in a process of their own, so that the server's core is what is measured. They call
 * the C library's sockets through FFI, as a client that is slower than the server would measure itself. Linux only.
 *
 *     load.ts PORT CONNECTIONS SEND_BYTES RECEIVE_BYTES
 *
 * reads commands from its standard input, a line each, and answers `done`:
 *
 *     exchange N   sends a message of SEND_BYTES and waits for RECEIVE_BYTES, N times over all connections
 *     stream N     sends N messages on the first connection and waits for nothing
 */

import { obey } from "./commands.ts";

const AF_INET = 2;
const SOCK_STREAM = 1;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const MSG_DONTWAIT = 0x40;
const POLLIN = 1;
const POLLOUT = 4;
/** A server that is silent for so long hangs. */
const PATIENCE_MS = 20_000;
const LARGEST_CALL = 1 << 20;

const { symbols: libc } = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  poll: { parameters: ["buffer", "u32", "i32"], result: "i32" },
});

function checked(result: number, action: string): number {
  if (result < 0) throw new Error(`Cannot ${action}: the system refuses`);
  return result;
}

function open(port: number): number {
  const fd = checked(libc.socket(AF_INET, SOCK_STREAM, 0), "make a socket");
  const on = new Uint8Array(new Int32Array([1]).buffer);
  libc.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, on, 4);
  const address = new Uint8Array(16);
  new DataView(address.buffer).setUint16(0, AF_INET, true);
  new DataView(address.buffer).setUint16(2, port);
  address.set([127, 0, 0, 1], 4);
  checked(libc.connect(fd, address, 16), `connect to port ${port}`);
  return fd;
}

const [port = 0, connections = 0, sendBytes = 0, receiveBytes = 0] = Deno.args
  .map(Number);
const fds = Int32Array.from({ length: connections }, () => open(port));
/** As `poll` wants it: a socket, then what is asked and what was found, 16 bits each. */
const polled = new Int32Array(2 * connections);
const polledBytes = new Uint8Array(polled.buffer);
fds.forEach((fd, i) => polled[2 * i] = fd);
const sendLeft = new Int32Array(connections);
const receiveLeft = new Int32Array(connections);
/** A message, or as many as fit into a call. Each ends a line. */
const message = new Uint8Array(
  sendBytes * Math.max(1, Math.floor(65_536 / sendBytes)),
).fill(97);
for (let end = sendBytes - 1; end < message.length; end += sendBytes) {
  message[end] = 10;
}
const received = new Uint8Array(Math.min(receiveBytes, LARGEST_CALL) || 1);

/** Sends what the system takes of the message, and asks to be told of room for the rest. */
function push(i: number): void {
  const left = sendLeft[i]!;
  const from = sendBytes - left;
  const part = from === 0 ? message : message.subarray(from);
  const sent = libc.send(fds[i]!, part, left, MSG_DONTWAIT);
  if (sent > 0) sendLeft[i] = left - sent;
  polled[2 * i + 1] = sendLeft[i] === 0 ? POLLIN : POLLIN | POLLOUT;
}

function begin(i: number): void {
  sendLeft[i] = sendBytes;
  receiveLeft[i] = receiveBytes;
  push(i);
}

function exchange(total: number): void {
  let begun = 0;
  let ended = 0;
  polled.forEach((_, i) => {
    if (i % 2 === 1) polled[i] = 0;
  });
  while (begun < Math.min(total, connections)) begin(begun++);
  while (ended < total) {
    if (libc.poll(polledBytes, connections, PATIENCE_MS) <= 0) {
      throw new Error("The server is silent");
    }
    for (let i = 0; i < connections; i++) {
      const found = polled[2 * i + 1]! >> 16;
      if (found === 0) continue;
      if ((found & ~(POLLIN | POLLOUT)) !== 0) {
        throw new Error("The server hung up");
      }
      if ((found & POLLOUT) !== 0) push(i);
      if ((found & POLLIN) === 0) continue;
      const count = libc.recv(fds[i]!, received, received.length, 0);
      if (count <= 0) throw new Error("The server hung up");
      receiveLeft[i] = receiveLeft[i]! - count;
      if (receiveLeft[i] === 0) {
        ended++;
        if (begun < total) {
          begun++;
          begin(i);
        } else polled[2 * i + 1] = 0;
      }
    }
  }
}

function stream(total: number): void {
  for (let left = total * sendBytes; left > 0;) {
    const length = Math.min(left, message.length);
    let from = 0;
    while (from < length) {
      const part = from === 0 ? message : message.subarray(from);
      from += checked(libc.send(fds[0]!, part, length - from, 0), "send");
    }
    left -= length;
  }
}

await obey({ exchange, stream });
Deno.exit(0);
