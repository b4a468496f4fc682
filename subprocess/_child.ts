/**
 * A child process, as the loop keeps it. What users hold is a `Process` or a
 * `SubprocessTransport` over it: nothing here refers to those, so that one
 * which is dropped while the child runs can be collected, and be reported.
 */
import { refusedNew } from "../_internal/made_by.ts";
import { atCaller, forCaller } from "../_internal/caller_frame.ts";
import {
  InvalidStateError,
  isCancelledError,
  PermissionError,
  ProcessLookupError,
} from "../errors.ts";
import { onClose } from "../loop/closing.ts";
import { currentScope, runIn } from "../loop/current.ts";
import { withLoop } from "../loop/event_loop.ts";
import type { Kernel } from "../loop/kernel.ts";
import { interruption, type Scope, throwCancellation } from "../loop/scope.ts";
import { Wait } from "../loop/wait.ts";
import { WaitQueue } from "../loop/wait_queue.ts";
import { hostChildren } from "../platform/children.ts";
import { hostSignals } from "../platform/signals.ts";
import type { HostChild, HostCommand } from "../platform/types/children.ts";
import type { HostConnection } from "../platform/types/net.ts";
import type { SignalName } from "../platform/types/signals.ts";
import { connectionScope, runAsStep } from "../streams/host.ts";
import { refuseBesides } from "../streams/network.ts";
import type { Protocol } from "../streams/protocol.ts";
import { type Transport, transportInternals } from "../streams/transport.ts";
import { moveOnAfter } from "../tasks/timeout.ts";

/** The number of a standard stream. */
export type StreamNumber = 0 | 1 | 2;

export class Child {
  readonly pid: number;
  readonly program: string;
  /** Whether it has a process group of its own. */
  readonly detached: boolean;
  readonly scope: Scope;
  returnCode: number | null = null;
  /** By number; filled as the pipes are opened. */
  readonly pipes: (Transport | null)[] = [null, null, null];
  readonly #kernel: Kernel;
  readonly #host: HostChild;
  /** What is brought is whatever must not be collected meanwhile. */
  readonly #exits = new WaitQueue<number, object>("Process.wait");
  #onExit: (() => void) | null = null;
  #stopWatching: (() => void) | null;
  #isDropped = false;

  /** Made in the scope of its callbacks. */
  constructor(host: HostChild, command: HostCommand, scope: Scope) {
    this.#host = host;
    this.#kernel = scope.kernel;
    this.scope = scope;
    // It belongs to its loop before anyone waits.
    this.#exits.bind(scope.kernel);
    this.pid = host.pid;
    this.program = command.program;
    this.detached = command.detached;
    this.#stopWatching = onClose(this.#kernel, () => this.#abandon());
    withLoop(this.#kernel).stacks?.remember(this);
    host.exited.then(this.#end);
  }

  get isRunning(): boolean {
    return this.returnCode === null;
  }

  /** The host's end of a pipe; null if the stream is no pipe. */
  hostPipe(number: StreamNumber): HostConnection | null {
    return this.#host.pipes[number] ?? null;
  }

  /** Puts a transport on a pipe, which there must be. */
  open(number: StreamNumber, protocol: Protocol): Transport {
    return transportInternals.open({
      scope: this.scope,
      host: this.hostPipe(number)!,
      protocol,
      // Before the protocol hears of it.
      onMade: (transport) => {
        this.pipes[number] = transport;
      },
    });
  }

  /** Calls back, in the loop, when the child has ended. */
  set onExit(callback: () => void) {
    if (this.isRunning) this.#onExit = callback;
    else runAsStep(this.scope, `the end of ${this}`, callback);
  }

  /** @param keeper Is not collected before the wait ends. */
  wait(scope: Scope, keeper: object): Promise<number> {
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    return this.returnCode === null
      ? this.#exits.wait(scope, keeper)
      : scope.kernel.succeed(scope, this.returnCode);
  }

  kill(signal: SignalName): void {
    if (!this.isRunning) throw this.#gone(signal);
    this.#host.kill(signal);
  }

  killGroup(signal: SignalName): void {
    if (!this.detached) {
      throw new InvalidStateError(
        `Cannot send ${signal} to the process group as the child has none of its own, without 'detached': received a call on ${this}`,
      );
    }
    // The group may outlive the child that it was made for.
    this.#host.killGroup(signal);
  }

  /** Asks the child to end, with all its group, and then makes it. */
  async stop(graceMs: number, keeper: object): Promise<number> {
    try {
      if (this.isRunning) {
        this.#killAll("SIGTERM");
        await moveOnAfter(graceMs, () => this.#ended(keeper));
      }
      // Some of its group may not have listened, or come to it meanwhile.
      this.end();
      return await this.#ended(keeper);
    } catch (error) {
      // Who cannot wait any longer does not leave it behind, either.
      if (isCancelledError(error)) this.end();
      throw error;
    }
  }

  /** Ends the child, if it still runs, and what is left of its group. */
  end(): void {
    this.#killAll("SIGKILL");
  }

  /** Closes the pipes, whatever is in them. */
  closePipes(): void {
    const { pipes } = this.#host;
    for (let number = 0; number < pipes.length; number++) {
      // A pipe that was not opened yet has no transport.
      (this.pipes[number] ?? pipes[number])?.abort();
    }
  }

  /** Nobody wants it: ends it, and is silent about that. */
  discard(): void {
    this.#stopWatching?.();
    this.#stopWatching = null;
    this.end();
    this.closePipes();
  }

  /** Whoever could ask for it was collected. */
  drop(): void {
    if (!this.isRunning) return this.closePipes();
    this.#isDropped = true;
    this.#report("was dropped");
  }

  toString(): string {
    const { returnCode } = this;
    const state = returnCode === null
      ? "running"
      : returnCode < 0
      ? `ended by ${
        hostSignals.signalName(-returnCode) ?? `signal ${-returnCode}`
      }`
      : `ended with status ${returnCode}`;
    return `${this.pid} ${this.program} ${state}`;
  }

  readonly #end = (code: number): void => {
    this.returnCode = code;
    this.#stopWatching?.();
    this.#stopWatching = null;
    if (this.#isDropped) this.closePipes();
    if (this.#kernel.closed) return;
    this.#exits.settleAll(code);
    const onExit = this.#onExit;
    this.#onExit = null;
    if (onExit !== null) runAsStep(this.scope, `the end of ${this}`, onExit);
  };

  #ended(keeper: object): Promise<number> {
    return this.wait(currentScope(), keeper);
  }

  #killAll(signal: SignalName): void {
    const { isRunning } = this;
    try {
      if (this.detached) this.#host.killGroup(signal);
      else if (isRunning) this.#host.kill(signal);
    } catch (error) {
      // It has ended, and the host is about to tell; or there is no group any
      // more, for which some systems have another word.
      if (error instanceof ProcessLookupError) return;
      if (!isRunning && error instanceof PermissionError) return;
      throw error;
    }
  }

  /** The loop is closed: no one can wait for the child any more. */
  #abandon(): void {
    this.#stopWatching = null;
    if (!this.isRunning) return this.closePipes();
    this.#report("was left when its event loop was closed");
    this.closePipes();
    this.#host.unref();
  }

  #report(what: string): void {
    this.#kernel.report({
      message: `ResourceWarning: subprocess ${this} ${what}`,
      createdAt: this.#kernel.creationStack(this),
    });
  }

  #gone(signal: SignalName): ProcessLookupError {
    return new ProcessLookupError(
      `Cannot send ${signal} to a process as it has ended: received a call on <Process ${this}>`,
      { code: "ESRCH" },
    );
  }
}

/**
 * Starts a child. The host does that at once, and who asked for it has it in
 * its turn of the ready queue: cancelled until then, the child is killed.
 */
export async function startChild(
  action: string,
  command: HostCommand,
  signal: AbortSignal | undefined,
): Promise<Child> {
  const around = currentScope();
  const { kernel } = around;
  if (kernel.closed) throw kernel.closedError("start a subprocess");
  throwIfUnwanted(around, signal);
  refuseBesides("start a subprocess", "programs of the system");
  const scope = connectionScope();
  let child: Child;
  try {
    const spawned = runIn(scope, spawn, command, scope);
    child = spawned instanceof Promise ? await spawned : spawned;
  } catch (error) {
    throw atCaller(forCaller(error));
  }
  const source = { abandon() {}, describe: () => action };
  const start = new Wait<void>(around, source);
  start.enqueue();
  try {
    await start.promise;
    // It may have come after that turn, on the way to here.
    throwIfUnwanted(around, signal);
  } catch (error) {
    child.discard();
    // Who is told that nothing was started finds nothing running.
    await child.wait(around, child);
    throw error;
  }
  return child;
}

function spawn(command: HostCommand, scope: Scope): Child | Promise<never> {
  const host = hostChildren.spawn(command);
  return host instanceof Promise ? host : new Child(host, command, scope);
}

function throwIfUnwanted(scope: Scope, signal: AbortSignal | undefined): void {
  throwCancellation(scope);
  signal?.throwIfAborted();
}

/** The children whose owner, and all that leads to it, may be collected. */
export const owners: FinalizationRegistry<Child> = new FinalizationRegistry(
  (child) => child.drop(),
);

/**
 * Refuses to make what users hold of no child: once registered, it would end the
 * program when it is collected.
 *
 * @param what The class, with its article.
 * @param call What makes one.
 */
export function checkChild(child: unknown, what: string, call: string): void {
  if (child instanceof Child) return;
  throw refusedNew(what, "it belongs to a program that was started", call);
}
