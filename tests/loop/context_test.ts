import {
  asCompleted,
  CancelledError,
  Context,
  ContextVar,
  copyContext,
  createTask,
  currentTask,
  gather,
  getEventLoop,
  getRunningLoop,
  InvalidStateError,
  newEventLoop,
  run,
  shield,
  shielded,
  sleep,
  SystemExit,
  type Task,
  taskGroup,
  timeout,
  TimeoutError,
  Token,
  wait,
  waitFor,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { deferred, now, turns, virtual } from "../_support/virtual.ts";

/** A variable with a default, in most tests the only one. */
function makeVar(): ContextVar<string> {
  return new ContextVar("user", { defaultValue: "nobody" });
}

Deno.test(
  "C24 a task's changes do not leak out",
  virtual(async () => {
    const user = makeVar();
    user.set("creator");
    const inside = await createTask(async () => {
      const inherited = user.get();
      user.set("task");
      await sleep(1);
      return [inherited, user.get()];
    });
    assertEquals(inside, ["creator", "task"]);
    assertEquals(user.get(), "creator");
  }),
);

Deno.test(
  "C24 the creator's later changes do not leak in",
  virtual(async () => {
    const user = makeVar();
    user.set("before");
    const task = createTask(async () => {
      await sleep(5);
      return user.get();
    });
    user.set("after");
    assertEquals(await task, "before");
    assertEquals(user.get(), "after");
  }),
);

Deno.test(
  "C24 callSoon() and callLater() capture at the time of the call",
  virtual(async () => {
    const user = makeVar();
    const loop = getRunningLoop();
    const seen: string[] = [];
    const note = () => seen.push(user.get());
    user.set("one");
    loop.callSoon(note);
    loop.callLater(5, note);
    user.set("two");
    loop.callAt(5, note);
    await sleep(10);
    assertEquals(seen, ["one", "one", "two"]);
  }),
);

Deno.test(
  "C24 a callback's changes stay in it and in what it starts",
  virtual(async () => {
    const user = makeVar();
    const loop = getRunningLoop();
    const seen: string[] = [];
    loop.callSoon(() => {
      user.set("callback");
      loop.callSoon(() => seen.push(user.get()));
      createTask(() => seen.push(user.get()));
    });
    loop.callSoon(() => seen.push(user.get()));
    await turns(3);
    assertEquals(seen, ["nobody", "callback", "callback"]);
    assertEquals(user.get(), "nobody");
  }),
);

Deno.test(
  "C24 a callback's changes end with it, also where it throws",
  virtual(async () => {
    const user = makeVar();
    const loop = getRunningLoop();
    const seen: string[] = [];
    const note = () => seen.push(user.get());
    loop.setExceptionHandler(note);
    const scheduled = user.set("scheduled");
    loop.callSoon(note);
    user.reset(scheduled);
    loop.callSoon(() => user.set("first"));
    loop.callSoon(note);
    loop.callSoon(() => {
      user.set("second");
      throw new Error("after a change");
    });
    loop.callSoon(note);
    createTask(note);
    loop.callSoon(note);
    await turns(1);
    assertEquals(seen, [
      "scheduled",
      "nobody",
      // The exception handler is told in the context of what failed.
      "second",
      ...Array(3).fill("nobody"),
    ]);
  }),
);

Deno.test(
  "C24 addDoneCallback() captures when it is called, or takes a context",
  virtual(async () => {
    const user = makeVar();
    const seen: string[] = [];
    const task = createTask(() => user.set("task"));
    user.set("registered");
    task.addDoneCallback(() => seen.push(user.get()));
    const context = copyContext();
    context.run(() => user.set("given"));
    task.addDoneCallback(() => seen.push(user.get()), { context });
    user.set("later");
    await task;
    await turns(2);
    assertEquals(seen, ["registered", "given"]);
  }),
);

Deno.test(
  "C24 createTask() runs in a context that it is given, itself and not a copy",
  virtual(async () => {
    const user = makeVar();
    const context = new Context();
    const task = createTask(async () => {
      await sleep(1);
      user.set("task");
    }, { context });
    await task;
    assertStrictEquals(task.getContext(), context);
    assertEquals(context.run(() => user.get()), "task");
    assertEquals(user.get(), "nobody");
  }),
);

Deno.test(
  "an async function that is awaited shares the context of its caller",
  virtual(async () => {
    const user = makeVar();
    const login = async () => {
      await sleep(1);
      user.set("logged in");
    };
    await login();
    assertEquals(user.get(), "logged in");
  }),
);

Deno.test(
  "so do the blocks of timeout(), taskGroup() and shielded()",
  virtual(async () => {
    const user = makeVar();
    await timeout(10, async () => {
      await sleep(1);
      user.set("timeout");
    });
    assertEquals(user.get(), "timeout");
    await taskGroup(() => void user.set("group"));
    assertEquals(user.get(), "group");
    await shielded(() => void user.set("shielded"));
    assertEquals(user.get(), "shielded");
  }),
);

Deno.test(
  "Context.run() runs a function with its values, and keeps its changes",
  virtual(() => {
    const user = makeVar();
    user.set("outside");
    const context = copyContext();
    user.set("changed outside");
    const add = (a: number, b: number) => `${user.get()} ${a + b}`;
    assertEquals(context.run(add, 1, 2), "outside 3");
    context.run(() => user.set("inside"));
    assertEquals(context.run(() => user.get()), "inside");
    assertEquals(user.get(), "changed outside");
  }),
);

Deno.test(
  "Context.run() of an async function carries on through its awaits",
  virtual(async () => {
    const user = makeVar();
    const context = new Context();
    await context.run(async () => {
      await sleep(1);
      user.set("inside");
      await sleep(1);
      assertEquals(user.get(), "inside");
    });
    assertEquals(user.get(), "nobody");
    assertEquals(context.size, 1);
    assert(context.has(user));
  }),
);

Deno.test("Context.run() outside of any loop runs in no loop either", async () => {
  const user = makeVar();
  const context = new Context();
  const seen: string[] = [];
  const lazy = {
    then: (resolve: (value: string) => void) => {
      seen.push(user.get());
      resolve("lazy");
    },
  } as PromiseLike<string>;
  const result = context.run(() => {
    user.set("inside");
    assertThrows(getRunningLoop, InvalidStateError);
    return lazy;
  });
  assert(result instanceof Promise);
  assertEquals(await result, "lazy");
  await context.run(async () => {
    await sleep(0);
    seen.push(user.get());
  });
  assertEquals(seen, ["inside", "inside"]);
  assertEquals(user.get(), "nobody");
});

Deno.test(
  "waits inside of Context.run() are cancelled with the task",
  virtual(async () => {
    let task: unknown;
    const outer = createTask(() =>
      new Context().run(async () => {
        task = currentTask();
        await sleep(1000);
      })
    );
    await sleep(5);
    outer.cancel("stop");
    await assertRejects(() => outer, CancelledError, "stop");
    assertStrictEquals(task, outer);
    assertEquals(now(), 5);
  }),
);

Deno.test(
  "waits inside of Context.run() are cancelled by a timeout around it",
  virtual(async () => {
    await assertRejects(
      () => timeout(5, () => new Context().run(() => sleep(1000))),
      TimeoutError,
    );
    assertEquals(now(), 5);
  }),
);

Deno.test(
  "an error in Context.run() comes out, and the context around is back",
  virtual(() => {
    const user = makeVar();
    const context = new Context();
    assertThrows(
      () =>
        context.run(() => {
          user.set("inside");
          throw new RangeError("boom");
        }),
      RangeError,
    );
    assertEquals(user.get(), "nobody");
  }),
);

Deno.test(
  "copy() of a context is independent of it",
  virtual(() => {
    const user = makeVar();
    const context = new Context();
    context.run(() => user.set("original"));
    const copy = context.copy();
    copy.run(() => user.set("copy"));
    assertEquals(context.run(() => user.get()), "original");
    assertEquals(copy.run(() => user.get()), "copy");
  }),
);

Deno.test(
  "get() gives the value, else the fallback, else the default, else it throws",
  virtual(() => {
    const user = makeVar();
    const bare = new ContextVar<number | undefined>("bare");
    assertEquals(user.get(), "nobody");
    assertEquals(user.get("fallback"), "fallback");
    assertEquals(bare.get(undefined), undefined);
    assertThrows(
      () => bare.get(),
      ReferenceError,
      `Cannot get the context variable "bare" as it has neither a value nor a default`,
    );
    bare.set(undefined);
    assertEquals(bare.get(1), undefined);
  }),
);

Deno.test(
  "reset() puts back what was before, a value or none",
  virtual(() => {
    const user = new ContextVar<string>("user");
    const first = user.set("first");
    const second = user.set("second");
    assert(first instanceof Token);
    assertStrictEquals(first.variable, user);
    assertEquals([first.oldValue, second.oldValue], [undefined, "first"]);
    user.reset(second);
    assertEquals(user.get(), "first");
    user.reset(first);
    assertThrows(() => user.get(), ReferenceError);
  }),
);

Deno.test(
  "reset() refuses a used token, one of another context, another variable's, and none",
  virtual(async () => {
    const [user, other] = [makeVar(), makeVar()];
    const token = user.set("value");
    await createTask(() => {
      assertThrows(
        () => user.reset(token),
        InvalidStateError,
        "the token was made in another context",
      );
    });
    user.reset(token);
    assertThrows(() => user.reset(token), InvalidStateError, "already used");
    const foreign = other.set("value");
    assertThrows(() => user.reset(foreign), TypeError, "one of its own tokens");
    assertThrows(
      () => user.reset("token" as never),
      TypeError,
      `received "token"`,
    );
    assertEquals(other.get(), "value");
  }),
);

Deno.test("a context variable needs a name", () => {
  assertThrows(
    () => new ContextVar(5 as never),
    TypeError,
    "'name' must be a string: received 5",
  );
});

Deno.test("a run has a context of its own: changes do not leak to the next", async () => {
  const user = makeVar();
  await run(async () => {
    user.set("first run");
    await sleep(0);
    assertEquals(user.get(), "first run");
  });
  assertEquals(await run(() => user.get()), "nobody");
  assertEquals(user.get(), "nobody");
});

Deno.test(
  "the AsyncLocalStorage of other libraries is carried into tasks",
  virtual(async () => {
    const storage = new AsyncLocalStorage<string>();
    const read = async () => {
      const first = storage.getStore();
      await sleep(1);
      return [first, storage.getStore()];
    };
    const task = storage.run("request 7", () => createTask(read));
    const eager = storage.run(
      "request 8",
      () => createTask(read, { eagerStart: true }),
    );
    const other = createTask(read);
    assertEquals(await task, ["request 7", "request 7"]);
    assertEquals(await eager, ["request 8", "request 8"]);
    assertEquals(await other, [undefined, undefined]);
  }),
);

Deno.test(
  "tasks that are started one after the other each keep their own store",
  virtual(async () => {
    const storage = new AsyncLocalStorage<number>();
    const tasks = [1, 2, 3].map((n) =>
      storage.run(n, () => createTask(() => storage.getStore()))
    );
    assertEquals(await Promise.all(tasks), [1, 2, 3]);
  }),
);

Deno.test(
  "the AsyncLocalStorage of others is carried into callbacks of the loop",
  virtual(async () => {
    const storage = new AsyncLocalStorage<string>();
    const loop = getRunningLoop();
    const seen: (string | undefined)[] = [];
    const note = () => seen.push(storage.getStore());
    storage.run("soon", () => loop.callSoon(note));
    loop.callSoon(note);
    storage.run("later", () => loop.callLater(5, note));
    storage.run("at", () => loop.callAt(6, note));
    await sleep(10);
    assertEquals(seen, ["soon", undefined, "later", "at"]);
  }),
);

Deno.test(
  "the AsyncLocalStorage of others is carried into done callbacks",
  virtual(async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const note = () => seen.push(storage.getStore());
    const future = getRunningLoop().createFuture<void>();
    storage.run("registered", () => future.addDoneCallback(note));
    storage.run("settled", () => future.setResult());
    await turns(2);
    storage.run("when it was done", () => future.addDoneCallback(note));
    await turns(2);
    assertEquals(seen, ["registered", "when it was done"]);
  }),
);

Deno.test(
  "the AsyncLocalStorage of others lasts through blocks, gathers and queues of waits",
  virtual(async () => {
    const storage = new AsyncLocalStorage<string>();
    await storage.run("request", async () => {
      await timeout(100, async () => {
        await sleep(1);
        assertEquals(storage.getStore(), "request");
      });
      await taskGroup(async (group) => {
        const store = group.createTask(() => storage.getStore());
        assertEquals(await store, "request");
      });
      assertEquals(storage.getStore(), "request");
    });
  }),
);

Deno.test("all of that holds on the default loop as well", async () => {
  const storage = new AsyncLocalStorage<string>();
  const user = makeVar();
  await storage.run("request", async () => {
    const seen = await createTask(async () => {
      await sleep(1);
      user.set("task");
      return [storage.getStore(), user.get()];
    });
    assertEquals(seen, ["request", "task"]);
  });
  assertEquals(user.get(), "nobody");
});

Deno.test(
  "V3 each task, block and callback sees the store of others' storages of its maker",
  virtual(async () => {
    const storage = new AsyncLocalStorage<string>();
    const read = () => storage.getStore();
    const loop = getRunningLoop();
    const seen: Record<string, unknown> = {};
    const note = (name: string) => () => {
      seen[name] = read();
    };
    // Whoever settles, sets or releases has another one.
    await storage.run("waker", () => sleep(0));
    await storage.run("maker", async () => {
      seen["createTask"] = await createTask(read);
      [seen["gather"]] = await gather([read]);
      await taskGroup((group) => void group.createTask(note("taskGroup")));
      seen["shield"] = await shield(read);
      seen["waitFor"] = await waitFor(read, 10);
      await wait([note("wait")]);
      for await (const task of asCompleted([read])) {
        seen["asCompleted"] = task.result();
      }
      loop.callSoon(note("callSoon"));
      loop.callLater(1, note("callLater"));
      createTask(() => {}).addDoneCallback(note("done callback"));
      createTask(read, { eagerStart: true })
        .addDoneCallback((task) => (seen["eager"] = task.result()));
      await sleep(5);
    });
    assertEquals([...new Set(Object.values(seen))], ["maker"]);
    assertEquals(Object.keys(seen).length, 11);
  }),
);

Deno.test(
  "V3 what a callback or a task enters reaches no other",
  virtual(async () => {
    const storage = new AsyncLocalStorage<string>();
    const loop = getRunningLoop();
    const seen: unknown[] = [];
    const intrude = () => storage.enterWith("intruder");
    const note = () => seen.push(storage.getStore());
    const rounds = [
      () => [loop.callSoon(intrude), loop.callSoon(note)],
      () => [createTask(intrude), createTask(note)],
      () => [loop.callLater(1, intrude), loop.callLater(1, note)],
      () => [createTask(intrude), loop.callSoon(note)],
      () => [createTask(intrude, { eagerStart: true }), sleep(0).then(note)],
    ];
    for (const round of rounds) {
      round();
      await sleep(2);
      note();
    }
    assertEquals(seen, Array(2 * rounds.length).fill(undefined));
  }),
);

Deno.test(
  "V3 debug mode and an instrument change nothing about it",
  virtual(async () => {
    const storage = new AsyncLocalStorage<string>();
    getRunningLoop().setDebug(true);
    const seen: unknown[] = [];
    const note = () => seen.push(storage.getStore());
    storage.run("one", () => getRunningLoop().callSoon(note));
    storage.run("two", () => createTask(note));
    getRunningLoop().callSoon(note);
    await sleep(1);
    getRunningLoop().setDebug(false);
    assertEquals(seen, ["one", "two", undefined]);
  }),
);

Deno.test("a task that a callback starts eagerly, in another context, is the running one", async () => {
  const variable = new ContextVar("variable", { defaultValue: "none" });
  const context = new Context();
  context.run(() => variable.set("the task's"));
  const loop = getEventLoop();
  const seen: unknown[] = [];
  const made = loop.createFuture<Task<void>>();
  const look = () => seen.push([currentTask()?.name, variable.get()]);
  loop.callSoon(() => {
    made.setResult(loop.createTask(async () => {
      look();
      await sleep(0);
      look();
    }, { name: "eager", context, eagerStart: true }));
    look();
  });
  const task = await made;
  await timeout(10_000, () => task);
  const inside = ["eager", "the task's"];
  assertEquals(seen, [inside, [undefined, "none"], inside]);
});

Deno.test("V3 a task that an exit kept from starting starts in its context", async () => {
  const storage = new AsyncLocalStorage<string>();
  const loop = newEventLoop();
  const seen: unknown[] = [];
  const note = () => seen.push(storage.getStore());
  loop.callSoon(() => {
    throw new SystemExit(3);
  });
  storage.run("callback", () => loop.callSoon(note));
  storage.run("task", () => loop.createTask(note));
  await assertRejects(() => loop.runForever(), SystemExit);
  assertEquals(seen, []);
  loop.callSoon(() => loop.stop());
  await loop.runForever();
  loop.close();
  assertEquals(seen, ["callback", "task"]);
});

Deno.test("C24 callSoon() of a callback and of the top level gives a copy of now", async () => {
  const user = makeVar();
  const seen: string[] = [];
  const note = () => seen.push(user.get());
  const loop = newEventLoop();
  loop.callSoon(() => {
    user.set("ada");
    loop.callSoon(note);
    user.set("bob");
    loop.callSoon(note);
    loop.callLater(1, () => loop.stop());
  });
  await loop.runForever();
  loop.close();
  assertEquals(seen, ["ada", "bob"]);
  await new Promise<void>((resolve) => {
    // Outside of any loop, as in a callback of the host.
    setTimeout(() => {
      user.set("eve");
      getEventLoop().callSoon(note);
      user.set("joe");
      getEventLoop().callSoon(note);
      getEventLoop().callSoon(resolve);
    }, 0);
  });
  assertEquals(seen, ["ada", "bob", "eve", "joe"]);
  assertEquals(user.get(), "nobody");
});

Deno.test("a variable that is set outside of any loop does not count as one", async () => {
  const user = makeVar();
  await new Promise<void>((resolve, reject) => {
    setTimeout(() => {
      user.set("outside");
      assertThrows(() => getRunningLoop(), InvalidStateError);
      run(() => user.get()).then((value) => {
        assertEquals(value, "outside");
        resolve();
      }, reject);
    }, 0);
  });
});

Deno.test("code that outlives its loop has no context variables of it, and may run another", async () => {
  const name = new ContextVar("name", { defaultValue: "none" });
  const isClosed = deferred<void>();
  const last = deferred<unknown[]>();
  const outlive = async () => {
    await isClosed.promise;
    const seen: unknown[] = [name.get(), copyContext().has(name)];
    seen.push(await run(() => sleep(1, name.get())));
    name.set("own");
    seen.push(name.get(), await run(() => sleep(1, name.get())));
    return seen;
  };
  await run(async () => {
    outlive().then(last.resolve);
    await sleep(1);
  });
  isClosed.resolve();
  assertEquals(await last.promise, ["none", false, "none", "own", "own"]);
});

Deno.test("run() and has() of a context refuse what is no function, no variable", () => {
  const context = new Context();
  assertThrows(
    () => context.run(5 as never),
    TypeError,
    "Cannot run in a context as 'fn' must be a function: received 5",
  );
  for (const wrong of [undefined, null, "user"]) {
    assertThrows(
      () => context.has(wrong as never),
      TypeError,
      "Cannot look into a context as 'variable' must be a ContextVar",
    );
  }
});
