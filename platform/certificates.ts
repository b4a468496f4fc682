/** Certificates, looked at without a connection. */
export {
  type CertificateTest,
  checkCertificates,
  checkKeyPair,
  examineCertificate,
} from "./shared/certificates.ts";
