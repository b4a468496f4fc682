/** The scopes of this copy, as other copies of the package see them. */
import type { CancelledError } from "../errors.ts";
import { type ForeignScope, type ForeignWait, shared } from "./other_copies.ts";
import { cancellationAbove, forgetCancellation, type Scope } from "./scope.ts";
import { Wait, type WaitSource } from "./wait.ts";

const source: WaitSource = {
  abandon() {},
  describe: (wait) => (wait as unknown as WaitElsewhere).other.describe(),
};

/** Stands here for what waits in a scope of another copy, which is cancelled there. */
class WaitElsewhere extends Wait<void> {
  readonly other: ForeignWait;

  constructor(scope: Scope, other: ForeignWait) {
    super(scope, source);
    this.other = other;
    this.started();
  }

  override cancel(error: CancelledError): boolean {
    return this.other.cancel(error);
  }

  /** It waits no longer. */
  leave(): void {
    this.finish(undefined);
  }
}

class ShownScope implements ForeignScope {
  readonly order: number;
  readonly #scope: Scope;

  constructor(scope: Scope, order: number) {
    this.#scope = scope;
    this.order = order;
  }

  get task(): object | null {
    const { task } = this.#scope;
    return task === null || task.done() ? null : task;
  }

  get signal(): AbortSignal {
    return this.#scope.signal;
  }

  get pending(): CancelledError | null {
    return cancellationAbove(this.#scope);
  }

  take(): CancelledError | null {
    return forgetCancellation(this.#scope);
  }

  remember(error: CancelledError): void {
    this.#scope.remember(error);
  }

  begin(other: ForeignWait): () => void {
    const wait = new WaitElsewhere(this.#scope, other);
    return () => wait.leave();
  }
}

const shown = new WeakMap<Scope, ShownScope>();

/** Notes that `scope` is entered now, in a program with other copies. */
export function noteEntry(scope: Scope): void {
  if (!shown.has(scope)) {
    shown.set(scope, new ShownScope(scope, ++shared.entered));
  }
}

/** The scope for others; it may have been entered before there were any. */
export function showScope(scope: Scope): ForeignScope {
  let found = shown.get(scope);
  if (found === undefined) {
    found = new ShownScope(scope, 0);
    shown.set(scope, found);
  }
  return found;
}
