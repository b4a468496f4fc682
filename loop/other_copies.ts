/**
 * What copies of this package know of each other that are in one program: one
 * from JSR and one from npm, or two versions. They meet in the global object,
 * under one registered symbol; so a thread and another realm, whose globals are
 * others, are not taken for a part of the program.
 *
 * Each copy has classes and loops of its own. In common they have where the
 * running code is and whether it was cancelled: a wait of the one that begins in
 * a task of the other is cancelled with that task.
 *
 * The types here bind versions that are not written yet. Who changes one of them
 * changes {@linkcode PROTOCOL}, and a copy that meets another protocol says so.
 */
import type { CancelledError } from "../errors.ts";
import { hostProcess } from "../platform/process.ts";

const PROTOCOL = 1;
const KEY = Symbol.for("@asyncio/asyncio/copies");

/** What one copy has waiting in a scope of another. */
export interface ForeignWait {
  /** @returns Whether some code gets a cancellation by it. */
  cancel(error: CancelledError): boolean;
  /** For debug mode. */
  describe(): string;
}

/** A scope, as other copies see it. */
export interface ForeignScope {
  /** When it was entered first, counted over all copies; 0 for when there was one. */
  readonly order: number;
  /** The task that runs in it, if it is not done. */
  readonly task: object | null;
  readonly signal: AbortSignal;
  /** A cancellation that its next wait gets; it is left in place. */
  readonly pending: CancelledError | null;
  /** The same, taken by whoever throws it. */
  take(): CancelledError | null;
  /** Lets its next wait throw `error`. */
  remember(error: CancelledError): void;
  /** Something begins to wait in it; gives what ends that. */
  begin(wait: ForeignWait): () => void;
}

/** A copy, as the others see it. */
export interface Copy {
  /** Where it was loaded from. */
  readonly place: string;
  /** The scope of its own that the running code is in, unless it has ended. */
  current(): ForeignScope | null;
  /** What a debugger may ask it, once it has a loop; see inspection.ts. */
  inspection?: object;
}

/** What all copies have in common. */
interface Shared {
  readonly protocol: typeof PROTOCOL;
  readonly copies: Copy[];
  /** How many scopes were entered since there was a second copy. */
  entered: number;
  /** Errors that a `run` has thrown: if nobody handles them, the host reports them. */
  readonly escaped: WeakSet<object>;
  /** Each copy's answer whether a rejection that nobody handles may pass. */
  readonly passes: ((reason: unknown) => boolean)[];
}

/** What was found in the global object, which may be of any version. */
type Found = Shared | { protocol: unknown; copies?: { place?: unknown }[] };

const globals = globalThis as unknown as Record<symbol, Found | undefined>;

function isKnown(found: Found): found is Shared {
  return found.protocol === PROTOCOL;
}

function meet(): Shared {
  const own: Shared = {
    protocol: PROTOCOL,
    copies: [],
    entered: 0,
    escaped: new WeakSet(),
    passes: [],
  };
  const found = globals[KEY] ??= own;
  if (isKnown(found)) return found;
  hostProcess.writeError(
    `Two copies of @asyncio/asyncio in one program do not know each other: ${
      found.copies?.[0]?.place
    } and ${PLACE}; tasks of the one are none to the other, which cannot cancel them: install one version`,
  );
  return own;
}

/** Bundlers that write CommonJS leave it undefined. */
const PLACE = (import.meta.url as string | undefined) ?? "a bundle";

/** What this copy has in common with others. */
export const shared: Shared = meet();

let own: Copy | null = null;

/** Makes this copy known to the others. */
export function joinCopies(current: Copy["current"]): Copy {
  own = { place: PLACE, current };
  shared.copies.push(own);
  return own;
}

/** Lets debuggers ask this copy. */
export function answerDebuggers(inspection: object): void {
  own!.inspection = inspection;
}

/** Whether there is another copy in the program; there hardly ever is. */
export function hasOtherCopies(): boolean {
  return shared.copies.length > 1;
}
