import type { CancelledError } from "../errors.ts";
import { runIn } from "../loop/current.ts";
import type { CapacityLimiter } from "../sync/capacity_limiter.ts";
import type { Hold } from "../sync/hold.ts";
import type { Job } from "./_job.ts";

/**
 * Waits for a token for a job: in the loop of the job, but in no task, as the job
 * is not ended by whatever becomes of the task that submitted it.
 *
 * @param granted Called with the token.
 * @param refused Called with the error, be it that of the cancellation.
 * @returns Ends the wait.
 */
export function waitForToken(
  limiter: CapacityLimiter,
  { kernel, future }: Job,
  granted: (token: Hold) => void,
  refused: (error: unknown) => void,
): (error: CancelledError) => void {
  const scope = kernel.root.open();
  const wait = () => limiter.acquireOnBehalfOf(future);
  runIn(scope, wait).then(
    (token) => {
      scope.close();
      granted(token);
    },
    (error) => {
      scope.close();
      refused(error);
    },
  );
  return (error) => scope.cancel(error);
}
