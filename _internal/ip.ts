/**
 * The one way to write an IP address, so that two can be compared.
 *
 * @param text An address; other text is given back as it is.
 */
export function canonicalIp(text: string): string {
  if (!text.includes(":") || text.includes("%")) return text;
  try {
    return new URL(`http://[${text}]`).hostname.slice(1, -1);
  } catch {
    return text;
  }
}
