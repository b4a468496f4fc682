/**
 * `@std/async` beside tasks: what takes a signal stops with the task that hands
 * it `cancelSignal()`, and nothing of it is left, which the sanitizers check.
 * The minute that everything here would take never passes.
 */
import {
  CancelledError,
  cancelSignal,
  createTask,
  currentTask,
  gather,
  isCancelledError,
  run,
  sleep,
  taskGroup,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import {
  abortable,
  allKeyed,
  Channel,
  deadline,
  debounce,
  delay,
  Lazy,
  MuxAsyncIterator,
  poll,
  pooledMap,
  retry,
  tee,
} from "@std/async";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";

const MINUTE = 60_000;

/** Runs `body` as a task, cancels it while it waits, and sees it stop. */
async function stopsWithItsTask(
  body: () => PromiseLike<unknown>,
): Promise<void> {
  await run(async () => {
    const task = createTask(body);
    await sleep(1);
    assertFalse(task.done());
    task.cancel("enough");
    await assertRejects(() => task, CancelledError, "enough");
    assert(task.cancelled());
  });
}

/** What never comes by itself. */
function never(): Promise<never> {
  return new Promise(() => {});
}

/** Numbers, with a wait in front of each but the first. */
async function* numbers(signal: AbortSignal): AsyncGenerator<number> {
  yield 1;
  await delay(MINUTE, { signal });
  yield 2;
}

// ── delay ──────────────────────────────────────────────────────────────────

Deno.test("delay() stops when its task is cancelled", () =>
  stopsWithItsTask(() => delay(MINUTE, { signal: cancelSignal() })));

Deno.test("delay() stops when the timeout() around it is over", () =>
  run(async () => {
    await assertRejects(
      () => timeout(1, () => delay(MINUTE, { signal: cancelSignal() })),
      TimeoutError,
    );
    assertEquals(currentTask()!.cancelling(), 0);
  }));

Deno.test("delay() in a task group stops when another task of it fails", () =>
  run(async () => {
    let reason: unknown;
    await assertRejects(() =>
      taskGroup((group) => {
        group.createTask(() =>
          delay(MINUTE, { signal: cancelSignal() }).catch((error) => {
            reason = error;
            throw error;
          })
        );
        group.createTask(async () => {
          await sleep(1);
          throw new RangeError("the other");
        });
      })
    );
    assert(isCancelledError(reason));
  }));

// ── retry, poll ────────────────────────────────────────────────────────────

Deno.test("retry() stops between two attempts when its task is cancelled", async () => {
  let attempts = 0;
  await stopsWithItsTask(() =>
    retry(() => {
      attempts++;
      throw new Error("not yet");
    }, { minTimeout: MINUTE, jitter: 0, signal: cancelSignal() })
  );
  assertEquals(attempts, 1);
});

Deno.test("retry() does not try again what was cancelled", async () => {
  let attempts = 0;
  await stopsWithItsTask(() =>
    retry(() => {
      attempts++;
      return Promise.resolve(sleep(MINUTE));
    }, { minTimeout: 1, signal: cancelSignal() })
  );
  assertEquals(attempts, 1);
});

Deno.test("retry() tries again what its own timeout() ended", () =>
  run(async () => {
    let attempts = 0;
    const result = await retry(
      () => timeout(5, () => ++attempts < 3 ? sleep(MINUTE, 0) : attempts),
      { minTimeout: 1, signal: cancelSignal() },
    );
    assertEquals(result, 3);
  }));

Deno.test("poll() stops between two questions when its task is cancelled", async () => {
  let asked = 0;
  await stopsWithItsTask(() =>
    poll(() => ++asked, () => false, {
      interval: MINUTE,
      signal: cancelSignal(),
    })
  );
  assertEquals(asked, 1);
});

// ── abortable, deadline ────────────────────────────────────────────────────

Deno.test("abortable() lets a task be cancelled that awaits a foreign promise", () =>
  stopsWithItsTask(() => abortable(never(), cancelSignal())));

Deno.test("abortable() lets a task be cancelled that iterates, and closes the source", async () => {
  const seen: unknown[] = [];
  await stopsWithItsTask(async () => {
    const signal = cancelSignal();
    async function* source() {
      try {
        yield* numbers(signal);
      } finally {
        seen.push("closed");
      }
    }
    for await (const item of abortable(source(), signal)) seen.push(item);
  });
  assertEquals(seen, [1, "closed"]);
});

Deno.test("deadline() stops when its task is cancelled", () =>
  stopsWithItsTask(() =>
    deadline(never(), MINUTE, { signal: cancelSignal() })
  ));

Deno.test("deadline() that passes is no cancellation of the task", () =>
  run(async () => {
    const error = await assertRejects(
      () => deadline(never(), 1, { signal: cancelSignal() }),
      DOMException,
    );
    assertEquals(error.name, "TimeoutError");
    assertEquals(currentTask()!.cancelling(), 0);
    assertEquals(await sleep(1, "goes on"), "goes on");
  }));

Deno.test("deadline() on a task leaves the task alone", () =>
  run(async () => {
    const task = createTask(() => sleep(MINUTE));
    await assertRejects(() =>
      deadline(Promise.resolve(task), 1, { signal: cancelSignal() })
    );
    assertFalse(task.done());
    task.cancel();
    await assertRejects(() => task, CancelledError);
  }));

// ── pooledMap ──────────────────────────────────────────────────────────────

Deno.test("pooledMap() stops, and starts nothing more, when its task is cancelled", async () => {
  const started: number[] = [];
  const stopped: number[] = [];
  await stopsWithItsTask(async () => {
    const signal = cancelSignal();
    const results = pooledMap(2, [1, 2, 3, 4], async (item) => {
      started.push(item);
      await delay(MINUTE, { signal }).catch((error) => {
        stopped.push(item);
        throw error;
      });
    });
    // The results come through a stream, which would hide the cancellation.
    for await (const _ of abortable(results, signal));
  });
  assertEquals(started, [1, 2]);
  assertEquals(stopped, [1, 2]);
});

Deno.test("pooledMap() calls its function in the task it was called in", () =>
  run(async () => {
    const task = currentTask();
    const seen = pooledMap(2, [1, 2, 3], async (item) => {
      await sleep(1);
      assertStrictEquals(currentTask(), task);
      return item * 2;
    });
    assertEquals(await Array.fromAsync(seen), [2, 4, 6]);
  }));

// ── Channel ────────────────────────────────────────────────────────────────

Deno.test("Channel.receive() stops with its task and takes nothing", () =>
  run(async () => {
    const channel = new Channel<string>();
    const receive = () => channel.receive({ signal: cancelSignal() });
    const [first, second] = [createTask(receive), createTask(receive)];
    await sleep(1);
    first.cancel();
    await assertRejects(() => first, CancelledError);
    await channel.send("item");
    assertEquals(await second, "item");
  }));

Deno.test("Channel.send() stops with its task and leaves nothing", () =>
  run(async () => {
    const channel = new Channel<string>();
    const task = createTask(() =>
      channel.send("lost", { signal: cancelSignal() })
    );
    await sleep(1);
    task.cancel();
    await assertRejects(() => task, CancelledError);
    assertEquals(channel.tryReceive(), { state: "empty" });
  }));

Deno.test("Channel hands items from task to task", () =>
  run(async () => {
    const channel = new Channel<number>({ capacity: 1 });
    const received = createTask(() => Array.fromAsync(channel));
    await taskGroup((group) => {
      for (const start of [0, 10]) {
        group.createTask(async () => {
          for (let i = 0; i < 3; i++) {
            await channel.send(start + i, { signal: cancelSignal() });
          }
        });
      }
    });
    channel.close();
    assertEquals((await received).sort((a, b) => a - b), [0, 1, 2, 10, 11, 12]);
  }));

// ── debounce ───────────────────────────────────────────────────────────────

Deno.test("debounce() drops the call that waits when its task is cancelled", async () => {
  let called = false;
  let pending = () => true;
  await stopsWithItsTask(async () => {
    const save = debounce(
      () => {
        called = true;
      },
      MINUTE,
      { signal: cancelSignal() },
    );
    pending = () => save.pending;
    save();
    assert(pending());
    await sleep(MINUTE);
  });
  assertFalse(pending());
  assertFalse(called);
});

// ── tee, MuxAsyncIterator ──────────────────────────────────────────────────

Deno.test("tee() ends each branch when the task that reads it is cancelled", async () => {
  const ended: number[] = [];
  await stopsWithItsTask(async () => {
    const branches = tee(numbers(cancelSignal()), 2);
    await gather(branches.map((branch, index) => async () => {
      try {
        for await (const item of branch) assertEquals(item, 1);
      } finally {
        ended.push(index);
      }
    }));
  });
  assertEquals(ended.sort(), [0, 1]);
});

Deno.test("MuxAsyncIterator ends when the task that reads it is cancelled", async () => {
  const seen: number[] = [];
  await stopsWithItsTask(async () => {
    const signal = cancelSignal();
    const mux = new MuxAsyncIterator<number>();
    mux.add(numbers(signal));
    mux.add(numbers(signal));
    for await (const item of mux) seen.push(item);
  });
  assertEquals(seen, [1, 1]);
});

// ── Lazy, allKeyed ─────────────────────────────────────────────────────────

Deno.test("Lazy.get() stops with its task, and others still get the value", () =>
  run(async () => {
    const lazy = new Lazy(async () => {
      await delay(10);
      return "value";
    });
    const get = () => lazy.get({ signal: cancelSignal() });
    const [first, second] = [createTask(get), createTask(get)];
    await sleep(1);
    first.cancel();
    await assertRejects(() => first, CancelledError);
    assertEquals(await second, "value");
  }));

Deno.test("allKeyed() awaits tasks, and stops when the task around it is cancelled", async () => {
  await run(async () => {
    const { one, two } = await allKeyed({
      one: createTask(() => sleep(1, 1)),
      two: createTask(() => sleep(2, "two")),
    });
    assertEquals([one, two], [1, "two"]);
  });
  await stopsWithItsTask(() =>
    abortable(allKeyed({ never: never() }), cancelSignal())
  );
});
