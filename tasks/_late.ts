/** The message of a {@linkcode TimeoutError}; to a thousandth of a millisecond. */
export function timeIsOver(ms: number): string {
  return `The time is over after ${
    Math.max(0, Math.round(ms * 1000) / 1000)
  } ms`;
}
