import { systemError } from "../system_errors.ts";

/** What OpenSSL calls its errors: a few of many, the rest begin in one way. */
const TLS_CODES: ReadonlySet<string> = new Set([
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "INVALID_PURPOSE",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** Errors that Node raises itself, of which the system knows nothing. */
const CODES: Readonly<Record<string, string>> = {
  ABORT_ERR: "ECONNABORTED",
  EPROTO: "ERR_TLS",
  ERR_SOCKET_CLOSED: "ECONNABORTED",
  ERR_STREAM_DESTROYED: "ECONNABORTED",
  ERR_STREAM_PREMATURE_CLOSE: "ECONNRESET",
  ERR_STREAM_WRITE_AFTER_END: "EPIPE",
};

/** The library's error for one of Node's. */
export function mapError(error: unknown, action: string): Error {
  const { code = "EIO" } = error as { code?: string };
  const isTls = TLS_CODES.has(code) || code.startsWith("ERR_SSL_") ||
    code.startsWith("ERR_TLS_") || code.startsWith("ERR_OSSL_");
  return systemError(
    isTls ? "ERR_TLS" : CODES[code] ?? code,
    action,
    error,
  );
}
