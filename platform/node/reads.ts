/** The way of what is read, from one of Node's sockets to a connection. */

/** A socket of `node:net`, or of `node:tls`. */
export type Socket = import("node:net").Socket;

/**
 * Hands what a socket reads to `receive`, past the buffer of its stream, which
 * costs a tick and a dozen calls for each message. A stream also asks for one
 * read more after `pause()`, 64 KiB for each connection that is held up; here
 * the answer to a read says at once whether another one is to follow.
 *
 * A stream's source calls `push` for all it reads, and stops where that gives
 * false, until `_read` is called.
 */
export function takeReads(
  socket: Socket,
  receive: (data: Uint8Array) => void,
  isPaused: () => boolean,
): void {
  const push = socket.push;
  socket.push = (chunk: Uint8Array | null, encoding) => {
    // The stream keeps the end, what was under way at the time of a pause, and
    // what stands behind that.
    if (chunk === null || isPaused() || socket.readableLength > 0) {
      return push.call(socket, chunk, encoding);
    }
    receive(chunk);
    return !isPaused();
  };
}

/** Ends a pause of a socket whose reads were taken. */
export function readOn(socket: Socket): void {
  socket.resume();
  // Its stream does not know that it was told to stop.
  if (!socket.destroyed) socket._read(0);
}
