// A program whose worker functions go through a build tool.
import { cancelSignal, checkCancelled, run, toThread } from "@asyncio/asyncio";
import { helper } from "./helper.js";

run(async () => {
  const sum = await toThread(async (n: number) => {
    const add = (a: number, b: number) => a + b;
    class Local {}
    checkCancelled();
    const { basename } = await import("node:path");
    const rest = cancelSignal().aborted ? 0 : new Local() instanceof Local;
    return [add(n, Number(rest)), basename("/a/b")];
  }, 41);
  const message = await toThread(() => helper(1)).catch(String);
  console.log(JSON.stringify([...sum, /it refers to "[\w$]+", which/.test(message)]));
});
