/**
 * What a writer waits for: that the transport has room again, and that the
 * connection is over. Any number of tasks may wait for either.
 */
import { atCaller, forCaller } from "../_internal/caller_frame.ts";
import { ConnectionResetError } from "../errors.ts";
import type { Scope } from "../loop/scope.ts";
import { WaitQueue } from "../loop/wait_queue.ts";

export class FlowControl {
  readonly #draining: WaitQueue<void> = new WaitQueue("StreamWriter.drain");
  readonly #closing: WaitQueue<void> = new WaitQueue("StreamWriter.waitClosed");
  #isPaused = false;
  #loss: { readonly error: unknown } | null = null;

  get isLost(): boolean {
    return this.#loss !== null;
  }

  /** The transport holds more than its high-water mark. */
  pause(): void {
    this.#isPaused = true;
  }

  /** It is down to its low-water mark. */
  resume(): void {
    this.#isPaused = false;
    this.#draining.settleAll();
  }

  /** The connection is over; `error` is null if it was closed. */
  lose(error: unknown): void {
    if (this.#loss !== null) return;
    this.#loss = { error };
    this.#draining.failAll(() => this.#lossError());
    this.#closing.settleAll();
  }

  /** Waits while the transport holds too much. */
  drain(scope: Scope): Promise<void> {
    if (this.#loss !== null) return Promise.reject(atCaller(this.#lossError()));
    return this.#isPaused
      ? this.#draining.wait(scope)
      : scope.kernel.succeed(scope, undefined);
  }

  /** Waits for the end of the connection, whatever that was. */
  waitLost(scope: Scope): Promise<void> {
    return this.#loss === null
      ? this.#closing.wait(scope)
      : scope.kernel.succeed(scope, undefined);
  }

  /** Waits for the end of the connection, and throws its error. */
  async waitClosed(scope: Scope): Promise<void> {
    await this.waitLost(scope);
    const error = this.#loss?.error ?? null;
    if (error !== null) throw atCaller(error);
  }

  #lossError(): unknown {
    return this.#loss?.error ?? forCaller(
      new ConnectionResetError(
        "Cannot write as the connection is lost: received a call of drain()",
        { code: "ECONNRESET" },
      ),
    );
  }
}
