// node: skip builds from the sources, which are the same for every runtime
import { assert } from "@std/assert";
import { WORKER_CODE } from "../platform/shared/worker_code.ts";
import { workerScript } from "../scripts/build_worker.ts";

Deno.test("the worker's code is what its sources make", async () => {
  assert(
    WORKER_CODE === await workerScript(),
    "It is not: run `deno task build:worker`",
  );
});
