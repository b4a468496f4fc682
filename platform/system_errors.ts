/**
 * What the system's error codes mean in the library's classes, whichever host
 * brought them.
 */
import {
  BrokenPipeError,
  ConnectionAbortedError,
  ConnectionRefusedError,
  ConnectionResetError,
  FileExistsError,
  FileNotFoundError,
  IsADirectoryError,
  NotADirectoryError,
  OSError,
  PermissionError,
  ProcessLookupError,
  SSLError,
  TimeoutError,
} from "../errors.ts";

type Make = (
  message: string,
  options: { code: string; cause: unknown },
) => Error;

interface Meaning {
  readonly text: string;
  readonly make?: Make;
}

const MEANINGS: Readonly<Record<string, Meaning>> = {
  EACCES: {
    text: "permission denied",
    make: (message, options) => new PermissionError(message, options),
  },
  EADDRINUSE: { text: "the address is in use" },
  EADDRNOTAVAIL: { text: "this machine does not have the address" },
  EAFNOSUPPORT: { text: "the system does not know the address family" },
  EAI_AGAIN: { text: "the name server gave no answer" },
  ECONNABORTED: {
    text: "the connection was aborted",
    make: (message, options) => new ConnectionAbortedError(message, options),
  },
  ECONNREFUSED: {
    text: "the connection was refused",
    make: (message, options) => new ConnectionRefusedError(message, options),
  },
  ECONNRESET: {
    text: "the peer reset the connection",
    make: (message, options) => new ConnectionResetError(message, options),
  },
  EEXIST: {
    text: "the file exists",
    make: (message, options) => new FileExistsError(message, options),
  },
  EHOSTUNREACH: { text: "there is no route to the host" },
  EISDIR: {
    text: "it is a directory",
    make: (message, options) => new IsADirectoryError(message, options),
  },
  EMFILE: { text: "this process has too many open files" },
  EMSGSIZE: { text: "the message is too long" },
  ENETUNREACH: { text: "the network is unreachable" },
  ENFILE: { text: "the system has too many open files" },
  ENOENT: {
    text: "there is no such file or directory",
    make: (message, options) => new FileNotFoundError(message, options),
  },
  ENOTDIR: {
    text: "a part of the path is not a directory",
    make: (message, options) => new NotADirectoryError(message, options),
  },
  ENOTFOUND: { text: "the name is not known" },
  EPERM: {
    text: "the operation is not permitted",
    make: (message, options) => new PermissionError(message, options),
  },
  EPIPE: {
    text: "the peer has closed the connection",
    make: (message, options) => new BrokenPipeError(message, options),
  },
  ERR_TLS: {
    text: "TLS failed",
    make: (message, options) => new SSLError(message, options),
  },
  ESRCH: {
    text: "there is no such process",
    make: (message, options) => new ProcessLookupError(message, options),
  },
  ETIMEDOUT: {
    text: "the peer did not answer in time",
    make: (message, { code, cause }) =>
      Object.assign(new TimeoutError(message, { cause }), { code }),
  },
};

/**
 * The library's error for an error of the host.
 *
 * @param code The system's code: `ECONNREFUSED`.
 * @param action What could not be done: `connect to 127.0.0.1 port 80`.
 * @param cause The host's error.
 */
export function systemError(
  code: string,
  action: string,
  cause: unknown,
): Error {
  const meaning = MEANINGS[code];
  // OpenSSL's has places in its source around the reason, and a line break.
  const { reason } = cause as { reason?: unknown };
  const detail = typeof reason === "string"
    ? reason
    : cause instanceof Error
    ? cause.message.trim()
    : String(cause);
  const text = meaning === undefined
    ? `the system says ${detail}`
    : code === "ERR_TLS"
    ? `${meaning.text}: ${detail}`
    : meaning.text;
  const message = `Cannot ${action} as ${text} (${code})`;
  const options = { code, cause };
  return meaning?.make?.(message, options) ?? new OSError(message, options);
}
