/** Certificates, looked at without a connection: all runtimes do it in Node's way. */
import { isIp } from "../names.ts";
import { builtin } from "./builtin.ts";
import { plainBytes } from "./bytes.ts";
import type { PeerCertificate } from "../types/net.ts";

type Certificate = import("node:crypto").X509Certificate;

/** What a certificate has to prove. */
export interface CertificateTest {
  /** The authorities that are trusted, in PEM format. */
  readonly caCerts: readonly string[];
  /** Whose it must be: a name or an IP address; null for anyone's. */
  readonly hostname: string | null;
}

/** Throws if the key is not that of the certificate, or either is none. */
export function checkKeyPair(cert: string, key: string): void {
  const { createPrivateKey, X509Certificate } = builtin("node:crypto");
  if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return;
  throw new Error("The key is not that of the certificate");
}

/** Throws if one of them is no certificate. */
export function checkCertificates(certs: readonly string[]): void {
  for (const cert of certs) parse(cert);
}

/**
 * What a certificate says. Throws if nobody who is trusted has signed it, or it
 * is for other names. For how long it is valid is not looked at.
 *
 * @param chain With those that lead to its authority behind it, in PEM format.
 */
export function examineCertificate(
  chain: string,
  { caCerts, hostname }: CertificateTest,
): PeerCertificate {
  const [own, ...between] = parse(chain);
  checkTrust(own!, { between, trusted: caCerts.flatMap(parse) });
  if (hostname !== null) checkName(own!, hostname);
  return describe(own!);
}

function checkTrust(
  own: Certificate,
  { between, trusted }: {
    between: readonly Certificate[];
    trusted: readonly Certificate[];
  },
): void {
  let last = own;
  // No further than there are certificates: they may have signed each other.
  for (let steps = 0; steps <= between.length; steps++) {
    const isTrusted = trusted.some((each) =>
      each.fingerprint256 === last.fingerprint256 || isSignedBy(last, each)
    );
    if (isTrusted) return;
    const next = between.find((each) => isSignedBy(last, each));
    if (next === undefined) break;
    last = next;
  }
  throw new Error("Nobody who is trusted has signed the certificate");
}

function isSignedBy(certificate: Certificate, authority: Certificate): boolean {
  return authority.ca && certificate.checkIssued(authority) &&
    certificate.verify(authority.publicKey);
}

function checkName(certificate: Certificate, hostname: string): void {
  const found = isIp(hostname) === 0
    ? certificate.checkHost(hostname)
    : certificate.checkIP(hostname);
  if (found !== undefined) return;
  throw new Error(
    `The certificate is not one of ${hostname}, but of ${certificate.subjectAltName}`,
  );
}

function parse(pem: string): Certificate[] {
  const { X509Certificate } = builtin("node:crypto");
  const each = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
  return (pem.match(each) ?? [pem]).map((one) => new X509Certificate(one));
}

function describe(certificate: Certificate): PeerCertificate {
  return Object.freeze({
    subject: namesOf(certificate.subject),
    issuer: namesOf(certificate.issuer),
    subjectAltName: certificate.subjectAltName ?? "",
    validFrom: new Date(certificate.validFrom),
    validTo: new Date(certificate.validTo),
    serialNumber: certificate.serialNumber,
    fingerprint256: certificate.fingerprint256,
    raw: plainBytes(certificate.raw),
  });
}

/** Several values of one kind are joined by commas. */
function namesOf(text: string): Readonly<Record<string, string>> {
  const names: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const end = line.indexOf("=");
    const kind = line.slice(0, end);
    const name = line.slice(end + 1);
    names[kind] = kind in names ? `${names[kind]}, ${name}` : name;
  }
  return names;
}
