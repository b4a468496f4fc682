// node: skip the same concepts run under "node --test" and Vitest with the build tools
/** What docs/testing.md shows, under `deno test`. */
import { concepts } from "../npm/tools/concepts.mjs";

for (const [name, concept] of Object.entries(concepts)) {
  Deno.test(`under deno test: ${name}`, concept as () => Promise<void>);
}
