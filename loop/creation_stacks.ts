/** Where tasks, futures, handles and waits were made: for debug mode only. */
import { CREATION_STACK_FRAMES } from "../_internal/constants.ts";
import { withStackLimit } from "../_internal/stack_limit.ts";

/** Frames of the library itself that may lie above those of the user. */
const OWN_FRAMES = 14;

export class CreationStacks {
  /** Errors are kept and not their texts: making a text costs far more. */
  readonly #errors = new WeakMap<object, Error>();

  remember(object: object): void {
    const limit = CREATION_STACK_FRAMES + OWN_FRAMES;
    this.#errors.set(object, withStackLimit(limit, () => new Error()));
  }

  /** The user's frames that led to the making of `object`. */
  of(object: object): string | undefined {
    const error = this.#errors.get(object);
    if (error === undefined) return undefined;
    const frames = userFrames(error);
    return frames.length === 0
      ? undefined
      : frames.slice(0, CREATION_STACK_FRAMES).join("\n");
  }
}

/** The frames of an error that are neither the library's nor the host's. */
export function userFrames({ stack = "" }: Error): string[] {
  const own = ownFolder();
  return stack.split("\n").slice(1).filter((line) =>
    !own.test(line) && !/\b(?:node|ext):/.test(line)
  );
}

let ownPattern: RegExp | undefined;

/**
 * The library's folders, whose frames say nothing to a user. Where they lie is
 * read from this file's own frame, which works in every module format.
 */
function ownFolder(): RegExp {
  if (ownPattern === undefined) {
    const [, folder = ""] = /\(?([^\s(]*)loop\/creation_stacks\.[jt]s/.exec(
      new Error().stack ?? "",
    ) ??
      [];
    const escaped = folder.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    ownPattern = new RegExp(
      `${escaped}(?:_internal|debug|loop|platform|queue|streams|subprocess|sync|tasks|testing|threads|workers)/`,
    );
  }
  return ownPattern;
}
