/**
 * Connecting to a name: its addresses are tried one after the other, each a
 * moment after the one before or as soon as that has failed (RFC 8305). All of
 * it happens outside of the loop, under one signal.
 */
import { LONGEST_HOST_TIMER_MS } from "../_internal/constants.ts";
import { ExceptionGroup, OSError } from "../errors.ts";
import { hostTimers } from "../platform/timers.ts";
import type { HostLookup, HostNames } from "../platform/types/names.ts";
import type {
  HostClientTls,
  HostConnection,
  HostNet,
  HostSocketOptions,
  HostTarget,
} from "../platform/types/net.ts";

/** What to connect to, checked. */
export interface ConnectPlan extends HostSocketOptions {
  readonly net: HostNet;
  readonly names: HostNames;
  readonly target: { readonly path: string } | {
    readonly hostname: string;
    readonly port: number;
    readonly family: 0 | 4 | 6;
    /** Without a hostname any of the target's family. */
    readonly localAddr: { hostname: string | null; port: number } | null;
  };
  readonly tls: HostClientTls | null;
  /** Milliseconds; `null` to try an address only after the one before failed. */
  readonly happyEyeballsDelay: number | null;
  readonly allErrors: boolean;
}

/** Connects, and shakes hands. */
export async function connectHost(
  plan: ConnectPlan,
  signal: AbortSignal,
): Promise<HostConnection> {
  const connection = await connectFirst(plan, signal);
  if (signal.aborted) {
    connection.abort();
    return connection;
  }
  return plan.tls === null
    ? connection
    : await plan.net.upgrade(connection, plan.tls, [], signal);
}

async function connectFirst(
  plan: ConnectPlan,
  signal: AbortSignal,
): Promise<HostConnection> {
  const { target } = plan;
  if ("path" in target) return await connectTo(plan, target, signal);
  const { hostname, port, localAddr } = target;
  const addresses = await resolve(plan.names, hostname, target.family);
  const targets = interleave(
    ofLocalFamily(plan.names, addresses, localAddr),
  ).map((
    { address, family },
  ) => ({
    hostname: address,
    port,
    localAddr: localAddr && {
      ...localAddr,
      hostname: localAddr.hostname ?? (family === 6 ? "::" : "0.0.0.0"),
    },
  }));
  if (targets.length === 1) return await connectTo(plan, targets[0]!, signal);
  return await new Race(plan, targets, signal).connection;
}

async function connectTo(
  plan: ConnectPlan,
  target: HostTarget,
  signal: AbortSignal,
): Promise<HostConnection> {
  try {
    return await plan.net.connect(target, plan, signal);
  } catch (error) {
    throw plan.allErrors ? combine(plan, [error as Error]) : error;
  }
}

/** The addresses of a hostname, which may be one itself. */
export async function resolve(
  names: HostNames,
  hostname: string,
  family: 0 | 4 | 6,
): Promise<HostLookup[]> {
  const bare = hostname.replace(/^\[(.*)\]$/, "$1");
  const version = names.isIp(bare);
  if (version !== 0) {
    if (family === 0 || family === version) {
      return [{ address: bare, family: version }];
    }
    throw new OSError(
      `Cannot use ${hostname} as an address of IPv${family} is needed: received one of IPv${version}`,
      { code: "EAFNOSUPPORT" },
    );
  }
  const found = await names.lookup(hostname, family);
  if (found.length > 0) return found;
  throw new OSError(
    `Cannot look up ${hostname} as it has no address`,
    { code: "ENOTFOUND" },
  );
}

/** Those that can be reached from a local address. */
function ofLocalFamily(
  names: HostNames,
  addresses: readonly HostLookup[],
  localAddr: { hostname: string | null } | null,
): readonly HostLookup[] {
  const local = localAddr?.hostname ?? null;
  const version = local === null ? 0 : names.isIp(local);
  if (version === 0) return addresses;
  const fitting = addresses.filter(({ family }) => family === version);
  if (fitting.length > 0) return fitting;
  throw new OSError(
    `Cannot connect from ${local} as the peer has no address of IPv${version}: received ${
      addresses.map(({ address }) => address).join(", ")
    }`,
    { code: "EAFNOSUPPORT" },
  );
}

/** The families in turn, beginning with the one the system put first. */
function interleave(addresses: readonly HostLookup[]): HostLookup[] {
  const first = addresses.filter((each) =>
    each.family === addresses[0]?.family
  );
  const second = addresses.filter((each) => !first.includes(each));
  const mixed: HostLookup[] = [];
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    for (const list of [first, second]) {
      const each = list[i];
      if (each !== undefined) mixed.push(each);
    }
  }
  return mixed;
}

/** The first of several attempts that succeeds; the others are given up. */
class Race {
  readonly connection: Promise<HostConnection>;
  readonly #plan: ConnectPlan;
  readonly #targets: readonly HostTarget[];
  readonly #errors: Error[] = [];
  readonly #controller = new AbortController();
  readonly #signal: AbortSignal;
  #started = 0;
  #over = false;
  #timer: unknown = null;
  #resolve!: (connection: HostConnection) => void;
  #reject!: (error: Error) => void;

  constructor(
    plan: ConnectPlan,
    targets: readonly HostTarget[],
    signal: AbortSignal,
  ) {
    this.#plan = plan;
    this.#targets = targets;
    this.#signal = signal;
    this.connection = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    signal.addEventListener("abort", this.#giveUp);
    if (signal.aborted) this.#giveUp();
    else this.#startNext();
  }

  #startNext(): void {
    this.#clearTimer();
    const target = this.#targets[this.#started++];
    if (target === undefined) return;
    this.#plan.net.connect(
      target,
      this.#plan,
      this.#controller.signal,
    ).then(
      (connection) => this.#succeeded(connection),
      (error) => this.#failed(error),
    );
    const { happyEyeballsDelay } = this.#plan;
    if (happyEyeballsDelay === null) return;
    if (this.#started >= this.#targets.length) return;
    this.#timer = hostTimers.setTimer(
      () => this.#startNext(),
      Math.min(happyEyeballsDelay, LONGEST_HOST_TIMER_MS),
    );
  }

  #succeeded(connection: HostConnection): void {
    if (this.#over) return connection.abort();
    this.#end();
    this.#resolve(connection);
  }

  #failed(error: Error): void {
    this.#errors.push(error);
    if (this.#over) return;
    if (this.#errors.length < this.#targets.length) {
      if (this.#errors.length === this.#started) this.#startNext();
      return;
    }
    this.#end();
    this.#reject(combine(this.#plan, this.#errors));
  }

  readonly #giveUp = (): void => {
    this.#end();
    this.#reject(new OSError("Cannot connect as the attempt was given up"));
  };

  #end(): void {
    this.#over = true;
    this.#clearTimer();
    this.#signal.removeEventListener("abort", this.#giveUp);
    this.#controller.abort();
  }

  #clearTimer(): void {
    if (this.#timer !== null) hostTimers.clearTimer(this.#timer);
    this.#timer = null;
  }
}

/**
 * One error for all: of their class where they agree, so that it is caught as
 * each of them would be; the group of them all is its cause.
 */
function combine(plan: ConnectPlan, errors: readonly Error[]): Error {
  const { target } = plan;
  const where = "path" in target
    ? target.path
    : `${target.hostname} port ${target.port}`;
  const group = new ExceptionGroup(errors, `Cannot connect to ${where}`);
  if (plan.allErrors) return group;
  const [first] = errors as [Error];
  const kinds = new Set(errors.map((each) => each.constructor));
  const message = `Cannot connect to ${where}: ${
    errors.map((each) => each.message).join("; ")
  }`;
  const { code = "" } = first as OSError;
  const Kind = first.constructor as typeof OSError;
  return kinds.size === 1
    ? Object.assign(new Kind(message, { code, cause: group }), { code })
    : new OSError(message, { code, cause: group });
}
