import { plainBytes } from "../shared/bytes.ts";
import type { PeerCertificate } from "../types/net.ts";

type TlsSocket = import("node:tls").TLSSocket;

/** Names of one kind that occur several times are in an array. */
type Names = Readonly<Record<string, string | string[] | undefined>>;

function namesOf(names: Names | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(names ?? {}).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : String(value),
    ]),
  );
}

/** What the peer has shown, or `null` if it has shown nothing. */
export function peerCertificateOf(socket: TlsSocket): PeerCertificate | null {
  const found = socket.getPeerCertificate();
  if (!found || found.raw === undefined) return null;
  return Object.freeze({
    subject: namesOf(found.subject as unknown as Names),
    issuer: namesOf(found.issuer as unknown as Names),
    subjectAltName: found.subjectaltname ?? "",
    validFrom: new Date(found.valid_from),
    validTo: new Date(found.valid_to),
    serialNumber: found.serialNumber,
    fingerprint256: found.fingerprint256,
    raw: plainBytes(found.raw),
  });
}
