// Starts a child whose stderr goes where its stdout does.
import { createSubprocessExec, PIPE, run, STDOUT } from "@asyncio/asyncio";

await run(async () => {
  const child = await createSubprocessExec("sh", [
    "-c",
    "echo out; echo err >&2",
  ], {
    stdout: PIPE,
    stderr: STDOUT,
  });
  const [output] = await child.communicate();
  console.log(new TextDecoder().decode(output!).trim());
});
