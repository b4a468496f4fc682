import {
  createTask,
  ensureFuture,
  getRunningLoop,
  newEventLoop,
  openConnection,
  run,
  shield,
  sleep,
  startServer,
  taskGroup,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { errorLine, errorText } from "../_internal/error_text.ts";
import {
  circle,
  ODD_ERRORS,
  revoked,
  sharedGroups,
} from "./_support/odd_errors.ts";
import { captureStderr } from "./_support/stderr.ts";
import { turns, virtual } from "./_support/virtual.ts";

/** What was thrown; `===` compares it, as it may not be looked at. */
async function thrownBy(
  wait: () => PromiseLike<unknown>,
): Promise<{ readonly error: unknown }> {
  try {
    await wait();
  } catch (error) {
    // A promise would ask a revoked proxy for its `then`.
    return { error };
  }
  throw new Error("Nothing was thrown");
}

for (const [what, make] of ODD_ERRORS) {
  Deno.test(
    `a task ends, and tells of itself, when it throws ${what}`,
    virtual(async () => {
      for (const debug of [false, true]) {
        getRunningLoop().setDebug(debug);
        const error = make();
        const early = createTask(() => {
          throw error;
        });
        const late = createTask(async () => {
          await sleep(1);
          throw error;
        });
        assert((await thrownBy(() => early)).error === error);
        assert((await thrownBy(() => late)).error === error);
        assert(`${early}`.startsWith("<Task failed "), `${early}`);
        assert(`${late}`.length < 2000, "the text has no end");
      }
    }),
  );

  Deno.test(`the default handler writes ${what}, and the loop goes on`, async () => {
    const text = await captureStderr(() =>
      run(async () => {
        createTask(() => {
          throw make();
        });
        getRunningLoop().callSoon(function broken() {
          throw make();
        });
        await sleep(1);
      })
    );
    assertStringIncludes(text, "Exception in broken\n");
    assertStringIncludes(text, "its error was never retrieved\n");
    assert(text.length < 1_000_000, `${text.length} characters`);
  });

  Deno.test(
    `timeout() and taskGroup() pass on ${what}`,
    virtual(async () => {
      const error = make();
      const fail = () => sleep(1).then(() => Promise.reject(error));
      assert((await thrownBy(() => timeout(10, fail))).error === error);
      assert((await thrownBy(() => shield(createTask(fail)))).error === error);
      const group = await thrownBy(() => taskGroup(() => fail()));
      assert((group.error as AggregateError).errors[0] === error);
    }),
  );
}

Deno.test("an error after the time was over does not need to take a cause", async () => {
  await run(async () => {
    for (const [, make] of ODD_ERRORS) {
      const error = make();
      const late = timeout(1, async () => {
        try {
          await sleep(60_000);
        } catch {
          throw error;
        }
      });
      assert((await thrownBy(() => late)).error === error);
    }
  });
});

Deno.test("an exception handler that throws what cannot be told is written, too", async () => {
  const loop = newEventLoop();
  loop.setExceptionHandler(() => {
    throw revoked();
  });
  const text = await captureStderr(() =>
    loop.callExceptionHandler({ message: "first", error: circle() })
  );
  assertStringIncludes(text, "The exception handler threw\nthrown: an object");
  assertStringIncludes(text, "first\nError: request failed");
  loop.close();
});

Deno.test("a server closes the connection whose handler throws a circle of causes", async () => {
  const text = await captureStderr(() =>
    run(async () => {
      const server = await startServer(async (reader) => {
        await reader.readLine();
        throw circle();
      }, { hostname: "127.0.0.1" });
      const [reader, writer] = await openConnection({
        hostname: "127.0.0.1",
        port: server.port,
      });
      writer.write("x\n");
      assertEquals((await reader.read()).length, 0);
      writer.close();
      server.close();
      await server.waitClosed();
    })
  );
  assertStringIncludes(text, "Unhandled exception in the handler");
});

Deno.test("errorText() writes each error once, however many refer to it", () => {
  const text = errorText(circle());
  assertEquals(text.match(/^Caused by: /gm)?.length, 2);
  assertStringIncludes(text, "Caused by: [as above] Error: request failed");
  const groups = errorText(sharedGroups());
  assertEquals(groups.split("the innermost").length - 1, 1);
});

Deno.test("errorText() of many errors comes to an end, and says that there are more", () => {
  const errors = Array.from(
    { length: 500 },
    (_, n) => new Error(`number ${n}`),
  );
  const text = errorText(new AggregateError(errors, "many"));
  assertStringIncludes(text, "number 10");
  assert(!text.includes("number 100"));
  assertStringIncludes(text, "and so on");
});

Deno.test("errorText() shows what was thrown in place of an error", () => {
  assertEquals(errorText("text"), "thrown: text");
  assertEquals(errorText(5), "thrown: 5");
  assertEquals(errorText({ code: 5 }), 'thrown: {"code":5}');
  assertEquals(errorText(Object.create(null)), "thrown: an object");
  assertEquals(errorText(undefined), "thrown: undefined");
});

Deno.test(
  "a task ends, whatever its function returns",
  virtual(async () => {
    const noThen = Object.defineProperty({}, "then", {
      get() {
        throw new RangeError("no then");
      },
    });
    const throwing = {
      then() {
        throw new RangeError("in then");
      },
    };
    // deno-lint-ignore no-explicit-any -- a `then` that is not one
    const twice: any = {
      then(done: (value: unknown) => void, failed: (error: unknown) => void) {
        done(Promise.resolve("inner"));
        failed(new Error("too late"));
        throw new Error("too late as well");
      },
    };
    const odd = Object.assign(Promise.resolve("native"), {
      then(done: (value: unknown) => void) {
        done("its own");
        throw new Error("too late");
      },
    });
    for (const eagerStart of [false, true]) {
      const outcome = (value: unknown) =>
        createTask(() => value, { eagerStart }).then(
          (result) => result,
          (error: unknown) => errorLine(error),
        );
      assertEquals(await outcome(noThen), "RangeError: no then");
      assertEquals(await outcome(throwing), "RangeError: in then");
      assertEquals(await outcome(twice), "inner");
      assertEquals(await outcome(odd), "its own");
      assertStringIncludes(`${await outcome(revoked())}`, "TypeError");
      assertStringIncludes(
        `${await outcome(Object.create(Promise.prototype))}`,
        "TypeError",
      );
    }
  }),
);

Deno.test(
  "timeout(), taskGroup() and ensureFuture() take a then that throws for a failure",
  virtual(async () => {
    const odd = () => ({
      get then(): never {
        throw new RangeError("no then");
      },
    });
    await assertRejects(() => timeout(5, odd as never), RangeError, "no then");
    const group = await assertRejects(
      () => taskGroup(odd as never),
      AggregateError,
    );
    assertEquals(group.errors.map((each) => each.message), ["no then"]);
    const throwing = {
      then(): never {
        throw new RangeError("in then");
      },
    };
    await assertRejects(() => ensureFuture(throwing), RangeError, "in then");
    await assertRejects(
      () => timeout(5, () => sleep(60_000)),
      TimeoutError,
    );
    await turns(2);
  }),
);
