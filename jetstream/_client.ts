/**
 * What is used of `@nats-io/jetstream`, which is loaded when a queue is opened:
 * its shapes stand here, so that nobody needs its types.
 */
import { show } from "../_internal/show.ts";
import { ConnectionError, OSError } from "../errors.ts";
import { hostTimers } from "../platform/timers.ts";
import type { JetStreamConnection } from "./connection.ts";

export type Config = Readonly<Record<string, unknown>>;

export interface StreamInfo {
  readonly config: Config;
  readonly state: {
    readonly messages: number;
    readonly "last_seq": number;
    readonly subjects?: Readonly<Record<string, number>>;
  };
}

export interface ConsumerInfo {
  readonly config: Config;
  readonly "num_pending": number;
  readonly "num_ack_pending": number;
}

export interface StoredMessage {
  readonly subject: string;
  readonly seq: number;
  readonly data: Uint8Array;
  readonly time: Date;
}

export interface PublishOptions {
  readonly msgID: string;
  readonly expect?: {
    readonly lastSequence?: number;
    readonly lastSubjectSequence?: number;
  };
}

/** Where to look: the last of a subject, or the next from a number on. */
export type Query =
  | { readonly "last_by_subj": string }
  | { readonly seq: number; readonly "next_by_subj": string };

export interface Manager {
  readonly streams: {
    info(stream: string, options?: Config): Promise<StreamInfo>;
    add(config: Config): Promise<unknown>;
    getMessage(stream: string, query: Query): Promise<StoredMessage | null>;
    deleteMessage(stream: string, seq: number): Promise<boolean>;
  };
  readonly consumers: {
    info(stream: string, consumer: string): Promise<ConsumerInfo>;
    add(stream: string, config: Config): Promise<unknown>;
  };
}

export interface Client {
  readonly apiPrefix: string;
  publish(
    subject: string,
    payload: Uint8Array,
    options: PublishOptions & { readonly timeout: number },
  ): Promise<{ readonly seq: number }>;
}

interface Peer {
  jetstream(connection: JetStreamConnection, options: Config): Client;
  jetstreamManager(
    connection: JetStreamConnection,
    options: Config,
  ): Promise<Manager>;
}

/** How long an answer of the server may take before it is asked again. */
export const ATTEMPT_MS = 2_000;

/** For how long it is asked again and again. */
const PATIENCE_MS = 30_000;

const PAUSE_MS = 250;

/** The numbers of JetStream's errors. */
export const WRONG_LAST_SEQUENCE = 10071;
const NOT_ENABLED_FOR_ACCOUNT = 10039;
const CONSUMER_NOT_FOUND = 10014;
const STREAM_NOT_FOUND = 10059;
const MESSAGE_NOT_FOUND = 10037;
const DELETE_FAILED = 10043;

/** The number of an error by which JetStream refused; 0 for any other error. */
export function codeOf(error: unknown): number {
  const { code } = error as { code?: unknown };
  return typeof code === "number" ? code : 0;
}

/** Whether a message is not there that was to be deleted. */
export function isGone(error: unknown): boolean {
  return [MESSAGE_NOT_FOUND, DELETE_FAILED].includes(codeOf(error));
}

export function isMissing(error: unknown): boolean {
  return [CONSUMER_NOT_FOUND, STREAM_NOT_FOUND].includes(codeOf(error));
}

/** Whether the same may work a little later: there is no answer, or no leader. */
export function isPassing(error: unknown): boolean {
  const { name, status } = error as { name?: string; status?: number };
  return ["JetStreamNotEnabled", "NoRespondersError", "TimeoutError"]
    .includes(name ?? "") || isNoResponder(error) || status === 503;
}

function isNoResponder(error: unknown): boolean {
  const { isNoResponders } = error as { isNoResponders?: () => boolean };
  return typeof isNoResponders === "function" &&
    isNoResponders.call(error) === true;
}

async function load(): Promise<Peer> {
  try {
    return await import("@nats-io/jetstream") as unknown as Peer;
  } catch (cause) {
    throw new OSError(
      "Cannot open a queue as the package @nats-io/jetstream cannot be loaded: install it, as with `npm install @nats-io/jetstream`",
      { cause },
    );
  }
}

function whyNot(error: unknown): string {
  const { name } = error as { name?: string };
  if (name === "JetStreamNotEnabled") {
    return "the server has no JetStream, or no leader for it: start it with `nats-server -js`";
  }
  if (codeOf(error) === NOT_ENABLED_FOR_ACCOUNT) {
    return "the account has no JetStream: give it limits in the server's configuration";
  }
  if (name === "TimeoutError") return "the server does not answer";
  return `the server refused: ${describe(error)}`;
}

export function describe(error: unknown): string {
  return error instanceof Error ? error.message : show(error);
}

/** The error of ours for one of NATS. */
export function toOSError(action: string, cause: unknown): OSError {
  if (cause instanceof OSError) return cause;
  const { name = "", message } = cause as { name?: string; message?: string };
  if (
    name === "ClosedConnectionError" || name === "DrainingConnectionError" ||
    // That of a request which was on its way.
    message === "connection closed"
  ) {
    return new ConnectionError(
      `Cannot ${action} as the connection to NATS is closed: connect and open the queue again`,
      { cause },
    );
  }
  return new OSError(`Cannot ${action} as ${whyNot(cause)}`, { cause });
}

/** Both halves of the client; fails if the server has no JetStream. */
export async function openClient(
  connection: JetStreamConnection,
): Promise<{ client: Client; manager: Manager }> {
  const { jetstream, jetstreamManager } = await load();
  const options = { timeout: ATTEMPT_MS };
  const open = () => jetstreamManager(connection, options);
  // A cluster that has JetStream may have no leader at the moment.
  const manager = connection.info?.jetstream === true
    ? await patiently(open)
    : await open();
  return { client: jetstream(connection, options), manager };
}

/** Does the same again while there is no answer, and for some time. */
export async function patiently<R>(
  work: () => Promise<R>,
  between: () => void | Promise<void> = () => {},
): Promise<R> {
  const until = hostTimers.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error) || hostTimers.now() > until) throw error;
    }
    await between();
    await pause(PAUSE_MS);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void hostTimers.setTimer(resolve, ms));
}
