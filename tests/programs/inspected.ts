// Comes to a deadlock while an inspector is open: "alone", or with a "page".
import {
  createTask,
  Event,
  Lock,
  run,
  sleep,
  startInspector,
} from "@asyncio/asyncio";
import { get } from "node:http";
import process from "node:process";

const kind = process.argv[2] ?? "";

/** Looks at the tasks, as a page does, from now on. */
function open(url: URL): Promise<void> {
  url.pathname = "/events";
  return new Promise((resolve, reject) => {
    const request = get(url, (response) => {
      response.once("data", () => {
        // This end must not keep the program running.
        response.socket.unref();
        resolve();
      });
    });
    request.on("error", reject);
  });
}

run(async () => {
  const { url } = await startInspector();
  const lock = new Lock({ name: "held" });
  createTask(() => lock.with(() => new Event().wait()), { name: "holder" });
  if (kind === "page") await open(url);
  await sleep(0);
  console.log(kind);
  await lock.acquire();
}, { debug: true });
