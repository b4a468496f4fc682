import type { CancelledError } from "../errors.ts";
import type { Scope } from "../loop/scope.ts";
import { Wait, type WaitSource } from "../loop/wait.ts";
import type { Lease } from "./leases.ts";

/** A lease that ends with the next transaction. */
export interface Ending<T> {
  readonly lease: Lease<T>;
  /** Called once it is stored, with `null`, or with what it failed with. */
  readonly told: (error: unknown) => void;
}

const source: WaitSource = {
  abandon() {},
  describe: () => "DurableQueue.taskDone",
};

/**
 * What `taskDone` waits with. The work is done whatever becomes of the task, so
 * a cancellation does not reach it: the next wait gets that, as if the lease had
 * ended at the call.
 */
export class EndWait extends Wait<void> {
  constructor(scope: Scope) {
    super(scope, source);
    this.scope.top.deferred++;
    this.started();
  }

  override cancel(_error: CancelledError): boolean {
    return false;
  }

  protected override finish(): void {
    this.scope.top.deferred--;
    super.finish(undefined);
  }

  protected override throwIn(error: unknown): void {
    this.scope.top.deferred--;
    super.throwIn(error);
  }
}
