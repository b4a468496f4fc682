/**
 * Where the running code is, for all that is built on the loop: outside of any
 * loop it is in the default one. Who asks has that loop by this import, also in
 * a bundle that leaves out what nobody uses.
 */
import { enteredScope } from "./entered.ts";
import { currentKernel } from "./default_kernel.ts";
import { scopeIn } from "./guest_scope.ts";
import { hasOtherCopies } from "./other_copies.ts";
import type { Scope } from "./scope.ts";

export {
  callbackScope,
  callFromLoop,
  enteredScope,
  enterScope,
  inheritedContext,
  runIn,
} from "./entered.ts";

/** The scope of the running code; outside of any loop, the default loop's root. */
export function currentScope(): Scope {
  const entered = enteredScope();
  if (entered !== undefined && !hasOtherCopies()) return entered;
  return scopeIn(currentKernel());
}
