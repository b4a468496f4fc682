import { inspectByToString } from "../_internal/inspect.ts";
import type { SignalName } from "../platform/types/signals.ts";
import { reportThrown } from "../streams/host.ts";
import { Protocol } from "../streams/protocol.ts";
import type { Transport } from "../streams/transport.ts";
import { checkChild, type Child, owners, type StreamNumber } from "./_child.ts";
import { toSignal } from "./_check.ts";
import type { SubprocessProtocol } from "./protocol.ts";

/**
 * A child process as a {@linkcode SubprocessProtocol} sees it. Made by
 * `subprocessExec` and `subprocessShell`. Equivalent of
 * `asyncio.SubprocessTransport`.
 *
 * @example Giving input to a program
 * ```ts
 * import {
 *   getEventLoop,
 *   PIPE,
 *   subprocessExec,
 *   SubprocessProtocol,
 * } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * class Watch extends SubprocessProtocol {
 *   readonly ended = getEventLoop().createFuture<void>();
 *   override processExited() {
 *     this.ended.setResult();
 *   }
 * }
 *
 * const [transport, watch] = await subprocessExec(
 *   () => new Watch(),
 *   "head",
 *   ["-c", "1"],
 *   { stdin: PIPE, stdout: PIPE },
 * );
 * transport.getPipeTransport(0)!.write(new TextEncoder().encode("abc"));
 * await watch.ended;
 * assertEquals(transport.getReturnCode(), 0);
 * transport.close();
 * ```
 */
export class SubprocessTransport {
  readonly #child: Child;
  readonly #protocol: SubprocessProtocol;
  #isClosed = false;

  /**
   * Made by `subprocessExec`.
   *
   * @internal
   * @ignore
   */
  constructor(child: Child, protocol: SubprocessProtocol) {
    checkChild(child, "a SubprocessTransport", "subprocessExec()");
    this.#child = child;
    this.#protocol = protocol;
    owners.register(this, child);
    new Events(child, protocol).begin(this);
  }

  /**
   * The child's number in the system.
   *
   * @returns The process ID.
   */
  getPid(): number {
    return this.#child.pid;
  }

  /**
   * How the child ended.
   *
   * @returns Its exit status, or the signal's number as a negative one; `null`
   * while it runs.
   */
  getReturnCode(): number | null {
    return this.#child.returnCode;
  }

  /**
   * The transport of one of the pipes.
   *
   * @param number 0 for stdin, 1 for stdout, 2 for stderr.
   * @returns The transport; `null` if that is no pipe.
   */
  getPipeTransport(number: number): Transport | null {
    return this.#child.pipes[number] ?? null;
  }

  /**
   * The protocol that is told of the child.
   *
   * @returns What the factory made.
   */
  getProtocol(): SubprocessProtocol {
    return this.#protocol;
  }

  /**
   * Sends a signal to the child.
   *
   * @param signal Its name, or its number.
   * @throws {ProcessLookupError} When the child has ended.
   * @throws {TypeError} When `signal` is no name of a signal of this system, and
   * no number.
   * @throws {RangeError} When the system has no signal of the number.
   */
  sendSignal(signal: SignalName | number): void {
    this.#child.kill(toSignal(signal));
  }

  /**
   * Asks the child to end, with SIGTERM.
   *
   * @throws {ProcessLookupError} When the child has ended.
   */
  terminate(): void {
    this.#child.kill("SIGTERM");
  }

  /**
   * Ends the child at once, with SIGKILL.
   *
   * @throws {ProcessLookupError} When the child has ended.
   */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Closes the pipes, and ends the child if it still runs. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#child.end();
    this.#child.closePipes();
  }

  /**
   * Whether it was closed.
   *
   * @returns True after {@linkcode SubprocessTransport.close}.
   */
  isClosing(): boolean {
    return this.#isClosed;
  }

  /**
   * The transport and its state.
   *
   * @returns For example `<SubprocessTransport 4711 cat running>`.
   */
  toString(): string {
    return `<SubprocessTransport ${this.#child}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "SubprocessTransport";
  }

  static {
    inspectByToString(this.prototype);
  }
}

/** Tells the protocol of all that happens; does not hold the transport. */
class Events {
  readonly #child: Child;
  readonly #protocol: SubprocessProtocol;
  /** Pipes that are open, and the child itself. */
  #left = 1;

  constructor(child: Child, protocol: SubprocessProtocol) {
    this.#child = child;
    this.#protocol = protocol;
  }

  begin(transport: SubprocessTransport): void {
    const child = this.#child;
    const numbers = ([2, 1, 0] as const).filter((number) =>
      child.hostPipe(number) !== null
    );
    this.#left += numbers.length;
    // Each pipe opens the next while it is told that it is there itself, and
    // brings something only after that. So all of them are there when the protocol
    // hears of the transport, and nothing comes before that.
    const open = (index: number): void => {
      const number = numbers[index];
      if (number === undefined) {
        this.call(
          "connectionMade",
          () => this.#protocol.connectionMade(transport),
        );
      } else child.open(number, new Pipe(this, number, () => open(index + 1)));
    };
    open(0);
    child.onExit = () => {
      this.call("processExited", () => this.#protocol.processExited());
      this.#end();
    };
  }

  data(number: StreamNumber, data: Uint8Array): void {
    this.#protocol.pipeDataReceived(number, data);
  }

  lost(number: StreamNumber, error: unknown): void {
    this.call(
      "pipeConnectionLost",
      () => this.#protocol.pipeConnectionLost(number, error),
    );
    this.#end();
  }

  pause(): void {
    this.#protocol.pauseWriting();
  }

  resume(): void {
    this.#protocol.resumeWriting();
  }

  #end(): void {
    if (--this.#left > 0) return;
    this.call("connectionLost", () => this.#protocol.connectionLost(null));
  }

  /** What the protocol throws is reported, and the child goes on. */
  call(name: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      reportThrown(
        this.#child.scope.kernel,
        `The protocol's ${name}() threw`,
        error,
      );
    }
  }
}

/** The protocol of one pipe. */
class Pipe extends Protocol {
  readonly #number: StreamNumber;
  readonly #events: Events;
  readonly #onMade: () => void;

  /** @param onMade Called before anything comes of the pipe. */
  constructor(events: Events, number: StreamNumber, onMade: () => void) {
    super();
    this.#events = events;
    this.#number = number;
    this.#onMade = onMade;
  }

  override connectionMade(): void {
    this.#onMade();
  }

  override dataReceived(data: Uint8Array): void {
    this.#events.data(this.#number, data);
  }

  override eofReceived(): boolean {
    return false;
  }

  override connectionLost(error: unknown): void {
    this.#events.lost(this.#number, error);
  }

  override pauseWriting(): void {
    this.#events.pause();
  }

  override resumeWriting(): void {
    this.#events.resume();
  }
}
