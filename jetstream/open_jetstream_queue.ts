import {
  checkCount,
  checkDuration,
  checkInteger,
  checkString,
} from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { ensureFuture } from "../tasks/create_task.ts";
import { untilAborted } from "../tasks/until_aborted.ts";
import { checkCodec, type Codec, JSON_CODEC } from "../durable/codec.ts";
import type { DurableQueue } from "../durable/durable_queue.ts";
import { openClient, toOSError } from "./_client.ts";
import type { JetStreamConnection } from "./connection.ts";
import { JetStreamQueue } from "./_jetstream_queue.ts";
import { prepare } from "./_layout.ts";
import { Server } from "./_server.ts";

/**
 * Options of {@linkcode openJetStreamQueue}.
 *
 * @typeParam T What the queue holds.
 */
export interface JetStreamQueueOptions<T> {
  /**
   * How many items it holds before `put` waits, without those that are leased;
   * any number at 0. With a limit, one `put` of a process waits for another.
   *
   * @default {0}
   */
  maxSize?: number | undefined;
  /**
   * For how long a process may stand still, or be cut off from the server, in
   * milliseconds, before others get what it has leased. While it runs, it renews
   * its leases. The same in every process.
   *
   * @default {30_000}
   */
  leaseMs?: number | undefined;
  /**
   * How often an item is delivered before it becomes a dead letter. JetStream
   * counts every delivery, also one whose task was cancelled.
   *
   * @default {10}
   */
  maxDeliveries?: number | undefined;
  /**
   * How many servers of a cluster store each item: from 1 to 5. With 3, one may
   * fail. The same in every process.
   *
   * @default {1}
   */
  replicas?: number | undefined;
  /**
   * How items are stored: as JSON, if not by this.
   */
  codec?: Codec<T> | undefined;
  /** Gives it up when it is aborted while it opens, and throws its reason. */
  signal?: AbortSignal | undefined;
}

const OPTIONS = new OptionNames<JetStreamQueueOptions<unknown>>(
  {
    maxSize: true,
    leaseMs: true,
    maxDeliveries: true,
    replicas: true,
    codec: true,
    signal: "signal",
  },
  { number: "maxSize" },
);

/** Below this, a busy machine would lose leases. */
const LEAST_LEASE_MS = 100;

const MOST_REPLICAS = 5;

/** What of a connection is used. */
const METHODS = [
  "closed",
  "flush",
  "isClosed",
  "publish",
  "request",
  "status",
  "subscribe",
] as const;

function checkConnection(action: string, connection: unknown): void {
  const missing = METHODS.find((name) =>
    typeof (connection as Partial<JetStreamConnection> | null)?.[name] !==
      "function"
  );
  if (missing === undefined) return;
  throw new TypeError(
    `Cannot ${action} as 'connection' must be a connection to NATS, which has ${missing}(): received ${
      show(connection)
    }`,
  );
}

function checkName(action: string, name: unknown): void {
  checkString(action, "name", name);
  // It is part of subjects, and the name of a folder of the server.
  if (/^[\w-]{1,200}$/.test(name as string)) return;
  throw new RangeError(
    `Cannot ${action} as 'name' must be of letters, digits, "_" and "-", at most 200: received ${
      show(name)
    }`,
  );
}

/**
 * Opens a queue on a NATS server with JetStream, or makes it. Every process that
 * can reach the server may open it. asyncio has no equivalent.
 *
 * The queue is a stream of the name, whose subjects begin with the name, and two
 * consumers of it. The caller makes the connection, with its TLS and credentials,
 * and closes it after the queue. Let it connect again for as long as it takes
 * (`maxReconnectAttempts: -1`): the queue goes on then. It needs the package
 * `@nats-io/jetstream` and a server of 2.9 or newer.
 *
 * If the task is cancelled while it opens, nothing of the queue stays in this
 * process; what was made on the server stays there.
 *
 * @typeParam T What the queue holds.
 *
 * @example A job for any machine
 * ```ts
 * import {
 *   type JetStreamConnection,
 *   openJetStreamQueue,
 * } from "@asyncio/asyncio/jetstream";
 *
 * // What `connect()` of `@nats-io/transport-node` gives.
 * async function resize(connection: JetStreamConnection): Promise<void> {
 *   await using queue = await openJetStreamQueue<string>(connection, "images");
 *   await queue.put("resize cat.png");
 *
 *   // Here, or on another machine:
 *   for await (const job of queue) console.log(job);
 * }
 * ```
 *
 * @param connection A connection to the server, or to a cluster.
 * @param name Of the queue: letters, digits, `_` and `-`.
 * @param options How much it holds, and for how long items are leased.
 * @returns The queue. Close it before the connection: until then it keeps the
 * program alive.
 * @throws {TypeError} When an argument is of another type.
 * @throws {RangeError} When the name cannot be one, or an option is out of range.
 * @throws {ConnectionError} When the connection is closed.
 * @throws {OSError} When the server has no JetStream, does not answer, or has a
 * stream of the name with another configuration; also when
 * `@nats-io/jetstream` is not installed.
 * @throws The reason of `signal`, when it is aborted while it opens.
 */
export async function openJetStreamQueue<T>(
  connection: JetStreamConnection,
  name: string,
  options: JetStreamQueueOptions<T> = {},
): Promise<DurableQueue<T>> {
  const action = "open a queue";
  checkConnection(action, connection);
  checkName(action, name);
  checkOptions(action, options, OPTIONS);
  const {
    maxSize = 0,
    leaseMs = 30_000,
    maxDeliveries = 10,
    replicas = 1,
    codec = JSON_CODEC as Codec<T>,
    signal,
  } = options;
  checkCount(action, "maxSize", maxSize, 0);
  checkDuration(action, "leaseMs", leaseMs);
  checkInteger(action, "leaseMs", leaseMs, LEAST_LEASE_MS);
  checkCount(action, "maxDeliveries", maxDeliveries, 1);
  checkCount(action, "replicas", replicas, 1);
  if (replicas > MOST_REPLICAS) {
    throw new RangeError(
      `Cannot ${action} as 'replicas' must be at most ${MOST_REPLICAS}: received ${replicas}`,
    );
  }
  const checked = checkCodec(action, codec);
  if (connection.isClosed()) {
    throw toOSError(action, { name: "ClosedConnectionError" });
  }
  const open = async () => {
    const opened = await openClient(connection).catch((error) => {
      throw toOSError(action, error);
    });
    await prepare(opened.manager, { name, leaseMs, replicas });
    return opened;
  };
  const { client, manager } = signal === undefined
    ? await open()
    : await untilAborted(signal, () => ensureFuture(open()));
  return new JetStreamQueue(connection, new Server(name, client, manager), {
    maxSize: maxSize === 0 ? Infinity : maxSize,
    leaseMs,
    maxDeliveries,
    codec: checked,
  });
}
