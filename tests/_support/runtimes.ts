/** Tests of what not every runtime can do. */
import { type Limit, reasonAgainst } from "../../platform/limits.ts";

/** Options of a test that is left out, and why. */
export interface Needed {
  readonly ignore: boolean;
  /** Told where the tests are counted; see `scripts/run_node_tests.ts`. */
  readonly reason?: string;
}

/**
 * Leaves a test out where the runtime cannot do what it is about.
 *
 * @param ignore Whether to leave it out in any case.
 */
export function needs(limit: Limit, ignore = false): Needed {
  const reason = reasonAgainst(limit);
  return reason === null ? { ignore } : { ignore: true, reason };
}
