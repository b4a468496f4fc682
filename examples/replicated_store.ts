/**
 * A small replicated store, and a search for the faults in it: three hosts keep
 * one value, the one of them that has a lease answers, and clients ask again
 * until they are answered. It runs in simulations whose network is cut and whose
 * hosts crash, each by its seed, and what the clients have seen must be what one
 * host with one value could have shown them (it is linearizable).
 *
 *     deno task example replicated_store
 *
 * prints
 *
 *     The store: 25 runs, and each is linearizable
 *     With leaders that ignore the end of their lease: run 11 is not
 *
 * @module
 */

import {
  createTask,
  Event,
  getRunningLoop,
  Lock,
  openConnection,
  simulate,
  type Simulation,
  sleep,
  startServer,
  timeout,
} from "@asyncio/asyncio";

const REPLICAS = ["a", "b", "c"];
const CLIENTS = ["client 1", "client 2", "client 3"];
const MAJORITY = 2;
const PORT = 7000;
/** For how long a leader may answer without asking the others again. */
const LEASE_MS = 500;
const CALL_MS = 150;

// -- what is stored -------------------------------------------------------------

/** What a replica has been told to keep, and by which leader. */
interface Saved {
  readonly term: number;
  readonly step: number;
  readonly value: number;
  /** The last write of each client: one that is asked for again is done once. */
  readonly done: Readonly<Record<string, number>>;
}

/** What outlasts the crash of a replica. */
interface Disk {
  /** The latest it has heard of; it obeys no earlier one. */
  term: number;
  leader: string;
  saved: Saved;
}

type Request =
  | { readonly kind: "lease"; readonly term: number; readonly from: string }
  | { readonly kind: "save"; readonly from: string; readonly saved: Saved }
  | { readonly kind: "get" }
  | {
    readonly kind: "put";
    readonly client: string;
    readonly id: number;
    readonly value: number;
  };

interface Answer {
  readonly ok: boolean;
  readonly saved?: Saved;
  readonly value?: number;
}

const NO: Answer = { ok: false };

function emptyDisk(): Disk {
  const saved = { term: 0, step: 0, value: 0, done: {} };
  return { term: 0, leader: "", saved };
}

function isNewer(one: Saved, other: Saved): boolean {
  return one.term > other.term ||
    (one.term === other.term && one.step > other.step);
}

/** One question to a host, on a connection of its own. */
async function ask(hostname: string, request: Request): Promise<Answer> {
  return await timeout(CALL_MS, async () => {
    const [reader, writer] = await openConnection({ hostname, port: PORT });
    try {
      writer.write(`${JSON.stringify(request)}\n`);
      return JSON.parse(new TextDecoder().decode(await reader.readLine()));
    } finally {
      writer.close();
    }
  });
}

// -- a replica ------------------------------------------------------------------

class Replica {
  readonly #name: string;
  readonly #disk: Disk;
  readonly #ignoresLease: boolean;
  readonly #writes = new Lock();
  /** Until when no other may lead, as far as this one has promised. */
  #promisedUntil: number;
  /** What the majority has; null unless this one leads. */
  #state: Saved | null = null;
  /** Of the last write that it has spread in its term. */
  #step = 0;
  #leaseUntil = 0;

  constructor(name: string, disk: Disk, ignoresLease: boolean) {
    this.#name = name;
    this.#disk = disk;
    this.#ignoresLease = ignoresLease;
    // What it had promised before a crash is over after that.
    this.#promisedUntil = now() + LEASE_MS;
  }

  async run(): Promise<void> {
    const server = await startServer(async (reader, writer) => {
      const line = new TextDecoder().decode(await reader.readLine());
      if (line !== "") {
        writer.write(
          `${JSON.stringify(await this.#answer(JSON.parse(line)))}\n`,
        );
      }
      writer.close();
    }, { port: PORT });
    createTask(() => server.serveForever());
    for (;;) {
      await sleep(50 + Math.random() * 100);
      if (this.#state !== null) await this.#renew(this.#state.term);
      else if (now() > this.#promisedUntil) await this.#stand();
    }
  }

  #answer(request: Request): Promise<Answer> | Answer {
    switch (request.kind) {
      case "lease":
        return this.#promise(request.term, request.from);
      case "save":
        return this.#save(request.saved, request.from);
      case "get":
        return this.#mayAnswer() ? { ok: true, value: this.#state!.value } : NO;
      case "put":
        return this.#put(request);
    }
  }

  // -- as one of those who follow ---------------------------------------------

  /** Promises to hear no other leader for the time of a lease. */
  #promise(term: number, from: string): Answer {
    const disk = this.#disk;
    const isSame = disk.leader === from;
    if (term < disk.term || (term === disk.term && !isSame)) return NO;
    if (now() <= this.#promisedUntil && !isSame) return NO;
    this.#obey(term, from);
    this.#promisedUntil = now() + LEASE_MS;
    return { ok: true, saved: disk.saved };
  }

  #save(saved: Saved, from: string): Answer {
    const disk = this.#disk;
    if (saved.term < disk.term) return NO;
    this.#obey(saved.term, from);
    // An earlier one may come late.
    if (isNewer(saved, disk.saved)) disk.saved = saved;
    return { ok: true };
  }

  #obey(term: number, leader: string): void {
    this.#disk.term = term;
    this.#disk.leader = leader;
  }

  // -- as the one who leads ---------------------------------------------------

  /** Stands for the leader of a new term, and leads if the majority promises. */
  async #stand(): Promise<void> {
    const term = this.#disk.term + 1;
    const asked = now();
    const answers = await this.#askAll({
      kind: "lease",
      term,
      from: this.#name,
    });
    if (answers.length < MAJORITY) return;
    const saved = answers.map((answer) => answer.saved!);
    const newest = saved.reduce((one, other) =>
      isNewer(other, one) ? other : one
    );
    const state = { ...newest, term, step: 0 };
    // What may have been answered for stays, under this leader as well.
    if (!await this.#spread(state)) return;
    this.#leaseUntil = asked + LEASE_MS;
    this.#step = 0;
    this.#state = state;
  }

  async #renew(term: number): Promise<void> {
    const asked = now();
    const request = { kind: "lease", term, from: this.#name } as const;
    const answers = await this.#askAll(request);
    if (answers.length >= MAJORITY) this.#leaseUntil = asked + LEASE_MS;
    else if (!this.#mayAnswer()) this.#state = null;
  }

  #mayAnswer(): boolean {
    if (this.#state === null) return false;
    return this.#ignoresLease || now() < this.#leaseUntil;
  }

  async #put(
    { client, id, value }: { client: string; id: number; value: number },
  ): Promise<Answer> {
    using _ = await this.#writes.acquire();
    const state = this.#state;
    if (state === null || !this.#mayAnswer()) return NO;
    if ((state.done[client] ?? 0) >= id) return { ok: true };
    const done = { ...state.done, [client]: id };
    const next = { ...state, step: ++this.#step, value, done };
    // Without a majority nobody knows what will come of it: so it is not shown.
    if (!await this.#spread(next) || this.#state !== state) return NO;
    this.#state = next;
    return { ok: true };
  }

  async #spread(saved: Saved): Promise<boolean> {
    const answers = await this.#askAll({
      kind: "save",
      from: this.#name,
      saved,
    });
    return answers.length >= MAJORITY;
  }

  /** What those say who agree, once they are the majority or all have answered. */
  async #askAll(request: Request): Promise<Answer[]> {
    const agreed: Answer[] = [];
    const enough = new Event();
    let waitingFor = REPLICAS.length;
    for (const host of REPLICAS) {
      createTask(async () => {
        try {
          const answer = host === this.#name
            ? await this.#answer(request)
            : await ask(host, request);
          if (answer.ok) agreed.push(answer);
        } catch {
          // Nobody is there, or nobody hears it: that is no agreement.
        }
        if (--waitingFor === 0 || agreed.length >= MAJORITY) enough.set();
      });
    }
    await enough.wait();
    return [...agreed];
  }
}

function now(): number {
  return getRunningLoop().time();
}

// -- the clients ----------------------------------------------------------------

/** What a client has asked for, and between which moments it was done. */
export interface Operation {
  readonly kind: "get" | "put";
  /** What was written, or found. */
  value: number;
  readonly start: number;
  /** Infinity if nobody has said that it is done. */
  end: number;
}

/** Asks for one thing after the other, and each until it is answered. */
async function useStore(
  name: string,
  history: Operation[],
  tick: () => number,
): Promise<void> {
  let host = REPLICAS[0]!;
  /** The host that has answered last is asked first. */
  const askUntilDone = async (request: Request): Promise<Answer | null> => {
    for (let attempt = 0; attempt < 40; attempt++) {
      try {
        const answer = await ask(host, request);
        if (answer.ok) return answer;
      } catch {
        // It may have been done or not: the next attempt asks for the same.
      }
      host = REPLICAS[Math.floor(Math.random() * REPLICAS.length)]!;
      await sleep(Math.random() * 100);
    }
    return null;
  };
  for (let id = 1; id <= 15; id++) {
    const kind = Math.random() < 0.5 ? "get" : "put";
    const start = tick();
    // No value is written twice, so that each can be told from the others.
    const value = kind === "put" ? start : 0;
    const operation: Operation = { kind, value, start, end: Infinity };
    history.push(operation);
    const request: Request = kind === "get"
      ? { kind }
      : { kind, client: name, id, value };
    const answer = await askUntilDone(request);
    if (answer !== null) {
      if (kind === "get") operation.value = answer.value!;
      operation.end = tick();
    }
    await sleep(Math.random() * 400);
  }
}

// -- one run --------------------------------------------------------------------

/** Cuts the network and crashes replicas, by chance, for a while. */
async function makeTrouble(sim: Simulation): Promise<void> {
  const pick = () => REPLICAS[Math.floor(sim.random() * REPLICAS.length)]!;
  for (let i = 0; i < 4; i++) {
    await sleep(sim.random() * 800);
    const host = pick();
    if (sim.random() < 0.6) {
      for (const other of REPLICAS) {
        if (other !== host) sim.partition(host, other);
      }
      await sleep(sim.random() * 1500);
      sim.heal();
    } else {
      sim.crash(host, { sockets: sim.random() < 0.5 ? "silent" : "reset" });
      await sleep(sim.random() * 500);
      sim.restart(host);
    }
  }
}

/** How a run of the store goes. */
export interface StoreOptions {
  /** Decides all that happens by chance. */
  readonly seed: number;
  /** Whether leaders answer also when their lease is over: a fault. */
  readonly ignoresLease?: boolean;
}

/** Runs the store with its clients, and gives what they have seen. */
export async function runStore(
  { seed, ignoresLease = false }: StoreOptions,
): Promise<Operation[]> {
  return await simulate(async (sim) => {
    const history: Operation[] = [];
    let ticks = 0;
    for (const name of REPLICAS) {
      const disk = emptyDisk();
      sim.host(name, () => new Replica(name, disk, ignoresLease).run());
    }
    for (const name of CLIENTS) {
      sim.host(name, () => useStore(name, history, () => ++ticks));
    }
    await makeTrouble(sim);
    for (const name of CLIENTS) await sim.join(name);
    return history;
  }, { seed, latency: [1, 10] });
}

// -- what must hold -------------------------------------------------------------

/**
 * Whether one value, with one operation after the other, could have given this
 * history: each takes effect at some moment between its start and its end. What
 * has no end may take effect later, or never. (Wing and Gong, with a memory.)
 */
export function isLinearizable(history: readonly Operation[]): boolean {
  const seen = new Set<string>();
  const search = (rest: readonly Operation[], value: number): boolean => {
    const end = Math.min(...rest.map((each) => each.end));
    if (end === Infinity) return true;
    const state = `${value} ${rest.map((each) => each.start).join()}`;
    if (seen.has(state)) return false;
    seen.add(state);
    return rest.some((next) => {
      // Another one had ended before it began.
      if (next.start > end) return false;
      if (next.kind === "get" && next.value !== value) return false;
      return search(rest.filter((each) => each !== next), next.value);
    });
  };
  // A read without an answer has shown nothing.
  return search(
    history.filter(({ kind, end }) => kind === "put" || end < Infinity),
    0,
  );
}

/** The first seed of a history that is not linearizable; null if all are. */
export async function findFault(
  runs: number,
  options: Omit<StoreOptions, "seed"> = {},
): Promise<number | null> {
  for (let seed = 1; seed <= runs; seed++) {
    const history = await runStore({ ...options, seed });
    if (!isLinearizable(history)) return seed;
  }
  return null;
}

async function main(): Promise<void> {
  const fault = await findFault(25);
  console.log(
    fault === null
      ? "The store: 25 runs, and each is linearizable"
      : `The store: run ${fault} is not linearizable`,
  );
  const known = await findFault(1000, { ignoresLease: true });
  console.log(
    `With leaders that ignore the end of their lease: run ${known} is not`,
  );
}

if (import.meta.main) await main();
