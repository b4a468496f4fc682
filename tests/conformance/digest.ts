/** Eight hexadecimal digits that stand for a trace (FNV-1a, 32 bits). */
export function digest(lines: readonly string[]): string {
  let hash = 0x811C9DC5;
  for (const byte of new TextEncoder().encode(lines.join("\n"))) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
