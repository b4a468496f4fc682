/** What happens to an error that no one is there to catch. */
import { platform } from "../platform/mod.ts";
import type { ExceptionContext } from "./types.ts";

/** Given an error that no one is there to catch. */
export type ExceptionHandler = (context: ExceptionContext) => void;

/** Writes the context to stderr, with what is known of where it comes from. */
export function writeException(context: ExceptionContext): void {
  const { message, error, task, future, createdAt } = context;
  const lines = [message];
  if (task !== undefined) lines.push(`task: ${task}`);
  if (future !== undefined) lines.push(`future: ${future}`);
  if (createdAt !== undefined) lines.push(`created at:\n${createdAt}`);
  if ("error" in context) lines.push(formatError(error));
  platform.writeError(lines.join("\n"));
}

/** An error with its stack and its causes. */
export function formatError(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${String(error)}`;
  const text = error.stack ?? `${error.name}: ${error.message}`;
  const inner = error instanceof AggregateError
    ? error.errors.map((each, index) =>
      `\n[${index + 1}] ${formatError(each).replaceAll("\n", "\n    ")}`
    ).join("")
    : "";
  return error.cause === undefined
    ? text + inner
    : `${text}${inner}\nCaused by: ${formatError(error.cause)}`;
}

/** Calls `handler`; should it throw, both errors are written to stderr. */
export function callSafely(
  handler: ExceptionHandler,
  context: ExceptionContext,
): void {
  try {
    handler(context);
  } catch (error) {
    writeException({ message: "The exception handler threw", error });
    writeException(context);
  }
}
