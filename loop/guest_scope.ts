/**
 * The waits of this copy that begin in a scope of another copy. They are in a
 * scope of their own here, and over there one wait stands for them all: so a
 * cancellation finds them, and what it remembers if nothing waits, their next
 * one throws.
 */
import type { CancelledError } from "../errors.ts";
import { enteredScope, foreignScope } from "./entered.ts";
import type { Kernel } from "./kernel.ts";
import type { ForeignScope } from "./other_copies.ts";
import { Scope } from "./scope.ts";
import type { Wait } from "./wait.ts";

class GuestScope extends Scope {
  readonly #host: ForeignScope;
  #waits: Wait<unknown> | null = null;
  #children: Scope | null = null;
  #leave: (() => void) | null = null;

  constructor(kernel: Kernel, host: ForeignScope) {
    super(kernel, null, null, null, false);
    this.#host = host;
    // Fields of every scope, which are to cost nothing but here.
    Object.defineProperties(this, {
      waits: {
        get: () => this.#waits,
        set: (waits: Wait<unknown> | null) => {
          this.#waits = waits;
          this.#tell();
        },
      },
      children: {
        get: () => this.#children,
        set: (children: Scope | null) => {
          this.#children = children;
          this.#tell();
        },
      },
    });
  }

  override get pending(): CancelledError | null {
    return super.pending ?? this.#host.pending;
  }

  override get signal(): AbortSignal {
    return this.#host.signal;
  }

  override remember(error: CancelledError): void {
    this.#host.remember(error);
  }

  override forget(): CancelledError | null {
    return super.forget() ?? this.#host.take();
  }

  override handOut(): CancelledError | null {
    const error = this.#host.take();
    if (error !== null) {
      this.request(error);
      super.remember(error);
    }
    return super.pending === null ? null : super.handOut();
  }

  /** What to do with a cancellation over there; what it misses is kept there. */
  #cancel(error: CancelledError): boolean {
    this.request(error);
    const isReached = this.interrupt(error);
    this.abort(error);
    return isReached || this.isDelivering();
  }

  /** There is one wait over there as long as there are some here. */
  #tell(): void {
    const isEmpty = this.#waits === null && this.#children === null;
    if (isEmpty === (this.#leave === null)) return;
    if (isEmpty) {
      this.#leave!();
      this.#leave = null;
      return;
    }
    this.#leave = this.#host.begin({
      cancel: (error) => this.#cancel(error),
      describe: () => "another copy of @asyncio/asyncio",
    });
  }
}

const guests = new WeakMap<ForeignScope, GuestScope>();

/** The scope for what the running code waits for in `kernel`. */
export function scopeIn(kernel: Kernel): Scope {
  const host = foreignScope();
  if (host === null) return enteredScope() ?? kernel.root;
  let guest = guests.get(host);
  if (guest?.kernel !== kernel) {
    guest = new GuestScope(kernel, host);
    guests.set(host, guest);
  }
  return guest;
}
