/** A worker that talks: whole lines, parts of lines, on both streams. */
import process from "node:process";
import { workerInfo } from "@asyncio/asyncio";

const worker = workerInfo()!;
process.stdout.write("one\ntw");
process.stderr.write("oops\n");
await new Promise((resolve) => setTimeout(resolve, 20));
process.stdout.write("o\n");
console.log(`${worker.number} of ${worker.workers}, ${process.env["COLOUR"]}`);
console.log(process.argv.slice(2).join(","));
worker.stopping.addEventListener("abort", () => {
  process.stdout.write("no end of line");
  clearInterval(idle);
});
const idle = setInterval(() => {}, 1000);
worker.ready();
