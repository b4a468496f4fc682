// node: skip reads the documentation, which is the same for every runtime
import { assertEquals } from "@std/assert";
import { faultsOfCancellation } from "./_support/faults_of_cancellation.ts";
import { faultsOfOrder } from "./_support/faults_of_order.ts";
import type { KnownFault } from "./_support/known_fault.ts";

const PAGE = new URL("../docs/testing.md", import.meta.url);

/** The rows of the table whose first column has this heading. */
async function tableOf(heading: string): Promise<string[][]> {
  const text = await Deno.readTextFile(PAGE);
  const [, rest = ""] = text.split(`\n| ${heading} `);
  const [table = ""] = rest.split("\n\n");
  return table.trim().split("\n").slice(2).map((row) =>
    row.split("|").slice(1, -1).map((cell) => cell.trim())
  );
}

function rowsOf(faults: Record<string, KnownFault>): string[][] {
  return Object.entries(faults).map(([fault, { found, fastCheck }]) => {
    const runs = fastCheck === undefined ? found : [...found, fastCheck];
    return [fault, ...runs.map((run) => String(run ?? "none"))];
  });
}

Deno.test("docs/testing.md tells how many runs it takes to find each known fault", async () => {
  assertEquals(await tableOf("Fault of order"), rowsOf(faultsOfOrder));
  assertEquals(
    await tableOf("Fault of cancellation"),
    rowsOf(faultsOfCancellation),
  );
});
