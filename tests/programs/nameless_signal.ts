// A child ends by a real-time signal.
import { createSubprocessShell, PIPE, run } from "@asyncio/asyncio";

await run(async () => {
  const child = await createSubprocessShell("kill -40 $$; sleep 60", {
    stdin: PIPE,
  });
  console.log(await child.wait());
  console.log(`${child}`.replace(`${child.pid}`, "PID"));
  await child.stdin.waitClosed();
});
