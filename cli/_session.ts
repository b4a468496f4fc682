/** A session of the Chrome DevTools Protocol with the target's inspector. */
import { Failure } from "./_failure.ts";

/** Longer than any answer takes of a loop that is not held. */
const ANSWER_MS = 10_000;

const ENDED =
  "The program has ended meanwhile, or another closed its inspector";

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Evaluated {
  readonly result: { readonly value?: unknown };
  readonly exceptionDetails?: {
    readonly text: string;
    readonly exception?: { readonly description?: string };
  };
}

/** Whether the inspector is asked and does not answer. */
export class Silence extends Failure {}

/** A session with a thread of the program. */
export class Session {
  readonly #send: (message: string) => void;
  readonly #calls = new Map<number, (answer: Answer | null) => void>();
  readonly #listeners = new Map<string, (params: unknown) => void>();
  #lastId = 0;
  #hasEnded = false;
  #close: () => void = () => {};

  /** @param send Hands a message to the inspector. */
  constructor(send: (message: string) => void) {
    this.#send = send;
  }

  /** Opens a session with the inspector at an address of its list of targets. */
  static open(url: string): Promise<Session> {
    const socket = new WebSocket(url);
    const session = new Session((message) => socket.send(message));
    session.#close = () => socket.close();
    socket.addEventListener(
      "message",
      ({ data }) => session.receive(String(data)),
    );
    socket.addEventListener("close", () => session.end());
    // A program of Node that ends waits for its debuggers to let go of it.
    session.on("NodeRuntime.waitingForDisconnect", () => {
      session.end();
      socket.close();
    });
    return new Promise((resolve, reject) => {
      socket.addEventListener("open", () => {
        session.tell("NodeRuntime.notifyWhenWaitingForDisconnect", {
          enabled: true,
        });
        resolve(session);
      });
      socket.addEventListener("error", () =>
        reject(
          new Failure(`The inspector at ${url} does not accept a connection`),
        ));
    });
  }

  /** It is over: no answers will come. */
  end(): void {
    this.#hasEnded = true;
    for (const settle of this.#calls.values()) settle(null);
    this.#calls.clear();
  }

  /** Calls without waiting for the answer. */
  tell(method: string, params: object): void {
    this.#send(JSON.stringify({ id: ++this.#lastId, method, params }));
  }

  /** Calls back at an event of the inspector, until another does. */
  on<P>(event: string, listener: (params: P) => void): void {
    this.#listeners.set(event, listener as (params: unknown) => void);
  }

  /** @throws {Silence} When no answer comes in time. */
  call<R>(
    method: string,
    params: object = {},
    ms: number = ANSWER_MS,
  ): Promise<R> {
    if (this.#hasEnded) {
      return Promise.reject(new Failure(ENDED));
    }
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#calls.delete(id);
        reject(
          new Silence(
            "The program does not answer: something holds its loop; `blocked` tells what",
          ),
        );
      }, ms);
      this.#calls.set(id, (answer) => {
        clearTimeout(timer);
        if (answer === null) {
          reject(new Failure(ENDED));
        } else if (answer.error !== undefined) {
          reject(new Failure(`The inspector says: ${answer.error.message}`));
        } else resolve(answer.result as R);
      });
      this.#send(JSON.stringify({ id, method, params }));
    });
  }

  /** The value of an expression in the program. */
  async evaluate<T>(expression: string, ms?: number): Promise<T> {
    const { result, exceptionDetails } = await this.call<Evaluated>(
      "Runtime.evaluate",
      { expression, returnByValue: true, awaitPromise: false },
      ms,
    );
    if (exceptionDetails !== undefined) {
      const { text, exception } = exceptionDetails;
      throw new Failure(
        `The program threw when it was asked: ${
          exception?.description?.split("\n")[0] ?? text
        }`,
      );
    }
    return result.value as T;
  }

  /** Ends the session. */
  close(): void {
    this.#close();
  }

  /** A message of the inspector has come. */
  receive(message: string): void {
    const answer: Answer = JSON.parse(message);
    if (answer.id !== undefined) {
      this.#calls.get(answer.id)?.(answer);
      this.#calls.delete(answer.id);
    } else this.#listeners.get(answer.method ?? "")?.(answer.params);
  }
}
