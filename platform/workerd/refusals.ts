/** What workerd has nothing for, in the place of what other runtimes do. */
import { type Limit, refusal } from "../limits.ts";

/** Throws the refusal. */
export function refuses(limit: Limit, action: string): () => never {
  return () => {
    throw refusal(limit, action);
  };
}

/** The same for what gives a promise. */
export function rejects(limit: Limit, action: string): () => Promise<never> {
  return () => Promise.reject(refusal(limit, action));
}
