// A task asks for the end of the program.
import {
  createTask,
  getEventLoop,
  run,
  sleep,
  SystemExit,
} from "@asyncio/asyncio";
import process from "node:process";

async function main(): Promise<void> {
  createTask(() => {
    throw new SystemExit(3);
  });
  try {
    await sleep(60_000);
  } finally {
    console.log("main's finally");
  }
}

async function mainWithCallback(): Promise<void> {
  getEventLoop().callSoon(() => {
    throw new SystemExit(4);
  });
  await sleep(60_000);
}

const [name] = process.argv.slice(2);
if (name === "caught") {
  await run(main).catch((error) => console.log(`threw ${error}`));
} else if (name === "callback") await run(mainWithCallback);
else if (name === "ambient") {
  await createTask(() => {
    throw new SystemExit(5);
  });
} else if (name === "zero") {
  await run(() => {
    throw new SystemExit();
  });
} else await run(main);
console.log("after");
