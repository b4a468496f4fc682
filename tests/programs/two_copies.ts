// A program with two copies of the package, and an error nobody handles.
import process from "node:process";
import { type Asyncio, loadCopy } from "../_support/copies.ts";

const [which = ""] = process.argv.slice(2);
if (which === "unknown") {
  Object.assign(globalThis, {
    [Symbol.for("@asyncio/asyncio/copies")]: {
      protocol: 0,
      copies: [{ place: "an older one" }],
    },
  });
}
const copies = { first: await loadCopy(), second: await loadCopy() };

/** Cancels something, so that the copy looks at rejections. */
async function cancelSomething({ createTask, sleep }: Asyncio): Promise<void> {
  // A call whose rejection is nobody's business.
  const task = createTask(() => void sleep(60_000).finally(() => {}));
  task.cancel();
  await task.catch(() => {});
}

async function main(): Promise<void> {
  for (const copy of Object.values(copies)) await cancelSomething(copy);
  if (which in copies) throw new Error("nobody handles this");
}

copies[which === "second" ? "second" : "first"].run(main);
