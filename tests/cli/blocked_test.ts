// What is asked of an inspector whose program lets go of its loop meanwhile.
import { assertEquals } from "@std/assert";
import { whatHolds } from "../../cli/_blocked.ts";
import { Silence } from "../../cli/_session.ts";

Deno.test("who lets go of the loop before it is stopped is not stopped later", async () => {
  const asked: string[] = [];
  const frames = await whatHolds({
    on: () => {},
    call<R>(method: string): Promise<R> {
      asked.push(method);
      return method === "Runtime.evaluate"
        ? Promise.reject(new Silence("held"))
        : Promise.resolve({} as R);
    },
  }, 0);
  assertEquals(frames, null);
  assertEquals(asked, [
    "Runtime.evaluate",
    "Debugger.enable",
    "Debugger.pause",
    "Debugger.disable",
  ]);
});
