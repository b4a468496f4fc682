/** What happens to an error that no one is there to catch. */
import { errorText, stringOf } from "../_internal/error_text.ts";
import { hostProcess } from "../platform/process.ts";
import { isExitRequest } from "./exit_request.ts";
import type { ExceptionContext } from "./types.ts";

/** What is reported: what is not known may be left open. */
export type Report =
  & Pick<ExceptionContext, "message" | "error">
  & { [K in Unsure]?: ExceptionContext[K] | null | undefined };

type Unsure = "task" | "future" | "handle" | "createdAt";
const UNSURE: readonly Unsure[] = ["task", "future", "handle", "createdAt"];

/** What the handler is told: what is not known is not there. */
export function toContext(report: Report): ExceptionContext {
  const context: Report = { ...report };
  for (const name of UNSURE) {
    if (context[name] === null || context[name] === undefined) {
      delete context[name];
    }
  }
  return context as ExceptionContext;
}

/** Given an error that no one is there to catch. */
export type ExceptionHandler = (context: ExceptionContext) => void;

/** Writes the context to stderr, with what is known of where it comes from. */
export function writeException(context: ExceptionContext): void {
  const { message, error, task, future, handle, createdAt } = context;
  const lines = [message];
  if (task !== undefined) lines.push(`task: ${stringOf(task)}`);
  if (future !== undefined) lines.push(`future: ${stringOf(future)}`);
  if (handle !== undefined) lines.push(`handle: ${stringOf(handle)}`);
  if (createdAt !== undefined) lines.push(`created at:\n${createdAt}`);
  if ("error" in context) lines.push(errorText(error));
  hostProcess.writeError(lines.join("\n"));
}

/**
 * Calls `handler`; should it throw, both errors are written to stderr. But what
 * it throws to end the program does.
 */
export function callSafely(
  handler: ExceptionHandler,
  context: ExceptionContext,
): void {
  try {
    handler(context);
  } catch (error) {
    if (isExitRequest(error)) throw error;
    writeException({ message: "The exception handler threw", error });
    writeException(context);
  }
}
