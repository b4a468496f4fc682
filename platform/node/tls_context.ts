/** Certificates and keys, checked and made into what Node's module takes. */
import { builtin } from "../shared/builtin.ts";
import { checkCertificates, checkKeyPair } from "../shared/certificates.ts";
import { systemError } from "../system_errors.ts";
import type { HostClientTls, HostTls } from "../types/net.ts";

type SecureContext = import("node:tls").SecureContext;

/** A side's certificates, and what a TLS socket is told of them. */
export interface TlsContext {
  readonly tls: HostTls | HostClientTls;
  readonly secureContext: SecureContext;
}

/** What both runtimes have to add to those that the host trusts. */
interface Extensible {
  readonly context: { addCACert(pem: string): void };
}

/**
 * The last ones made. To trust one more authority, a hundred others are read
 * besides, which takes longer than a handshake.
 */
const made = new Map<string, SecureContext>();
const MOST_MADE = 16;

function makeContext(tls: HostTls | HostClientTls): SecureContext {
  const { caCerts, cert, key } = tls;
  const isClient = "serverHostname" in tls;
  // Node's throws here by itself, Deno's only when a client has come.
  if (cert !== undefined && key !== undefined) checkKeyPair(cert, key);
  // Both leave out what is none, and then trust no one.
  checkCertificates(caCerts ?? []);
  const secureContext = builtin("node:tls").createSecureContext({
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    // Of a server these are the authorities of its clients, and no others.
    ...(caCerts && !isClient && { ca: [...caCerts] }),
  });
  if (isClient) {
    // As `ca` they would replace those that the host trusts.
    const { context } = secureContext as Extensible;
    for (const pem of caCerts ?? []) context.addCACert(pem);
  }
  return secureContext;
}

/** Throws an `SSLError` if they cannot be used. */
export function tlsContext(tls: HostTls | HostClientTls): TlsContext {
  const { caCerts, cert, key } = tls;
  const id = JSON.stringify(["serverHostname" in tls, caCerts, cert, key]);
  let secureContext = made.get(id);
  try {
    secureContext ??= makeContext(tls);
  } catch (error) {
    throw systemError("ERR_TLS", "use the certificates", error);
  }
  // The one that was asked for last stays longest.
  made.delete(id);
  made.set(id, secureContext);
  if (made.size > MOST_MADE) made.delete(made.keys().next().value!);
  return { tls, secureContext };
}
