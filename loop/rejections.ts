/**
 * Cancelling never ends the program. An `async` function that was called
 * without `await` inside of a cancelled task rejects with the task's
 * CancelledError, and the host would end the program for it. Its promise is not
 * ours to handle, so the host is asked to let this one error class pass.
 */
import { SIGINT_EXIT_STATUS } from "../_internal/constants.ts";
import { errorLine } from "../_internal/error_text.ts";
import {
  isCancelledError,
  type KeyboardInterrupt,
  SystemExit,
} from "../errors.ts";
import { hostProcess } from "../platform/process.ts";
import { isExitRequest } from "./exit_request.ts";
import { shared } from "./other_copies.ts";

let filtering = false;

/**
 * Installs the filter, when something is cancelled for the first time. There is
 * one for all copies of this package, as each would take the other for a listener
 * of the program's own, and leave the answer to that.
 */
export function filterRejections(): void {
  if (filtering) return;
  filtering = true;
  const { passes } = shared;
  passes.push(mayPass);
  if (passes.length > 1) return;
  hostProcess.filterUnhandledRejections((reason) =>
    passes.some((mayPass) => mayPass(reason))
  );
}

function mayPass(reason: unknown): boolean {
  if (isExitRequest(reason)) endProgram(reason);
  return isCancelledError(reason) && !shared.escaped.has(reason);
}

/** An exit request that nobody caught does what it says, as in Python. */
function endProgram(request: SystemExit | KeyboardInterrupt): never {
  if (request instanceof SystemExit) hostProcess.exit(request.code);
  hostProcess.writeError(errorLine(request));
  hostProcess.exit(SIGINT_EXIT_STATUS);
}

/** Marks an error that leaves the loop: its rejection counts as any other. */
export function letEscape(error: object): void {
  shared.escaped.add(error);
}
