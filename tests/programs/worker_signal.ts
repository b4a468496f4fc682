/** A worker that does not know of the library: it gets SIGTERM. */
import process from "node:process";

const idle = setInterval(() => {}, 1000);
process.on("SIGTERM", () => {
  console.log("SIGTERM");
  clearInterval(idle);
  process.exit(0);
});
console.log("listening");
