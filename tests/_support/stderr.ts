/** What `body` writes to stderr through the console. */
export async function captureStderr(
  body: () => PromiseLike<void> | void,
): Promise<string> {
  const lines: string[] = [];
  const { error } = console;
  console.error = (...args: unknown[]) => {
    lines.push(args.join(" "));
  };
  try {
    await body();
  } finally {
    console.error = error;
  }
  return lines.join("\n");
}
