import { systemError } from "../system_errors.ts";

/** Errors that Deno raises itself, of which the system knows nothing. */
const CODES: Readonly<Record<string, string>> = {
  AddrInUse: "EADDRINUSE",
  AddrNotAvailable: "EADDRNOTAVAIL",
  AlreadyExists: "EEXIST",
  BadResource: "ECONNABORTED",
  BrokenPipe: "EPIPE",
  ConnectionAborted: "ECONNABORTED",
  ConnectionRefused: "ECONNREFUSED",
  ConnectionReset: "ECONNRESET",
  Interrupted: "ECONNABORTED",
  IsADirectory: "EISDIR",
  InvalidData: "ERR_TLS",
  NetworkUnreachable: "ENETUNREACH",
  NotADirectory: "ENOTDIR",
  NotCapable: "EPERM",
  NotConnected: "ECONNABORTED",
  NotFound: "ENOENT",
  PermissionDenied: "EACCES",
  TimedOut: "ETIMEDOUT",
  UnexpectedEof: "ECONNRESET",
};

/** The library's error for one of Deno's. */
export function mapError(error: unknown, action: string): Error {
  const { name = "", code } = error as { name?: string; code?: string };
  return systemError(code ?? CODES[name] ?? "EIO", action, error);
}
