/** Asks for the default executor, and has only imported the kernel. */
import { getEventLoop } from "@asyncio/asyncio/loop";

try {
  getEventLoop().runInExecutor(null, () => 1);
} catch (error) {
  console.log(`${error}`);
}
