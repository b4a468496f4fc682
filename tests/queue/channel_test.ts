import {
  BrokenResourceError,
  CancelledError,
  ClosedResourceError,
  createTask,
  currentTask,
  EndOfChannel,
  exploreSchedules,
  InvalidStateError,
  newEventLoop,
  openChannel,
  ReceiveChannel,
  run,
  SendChannel,
  sleep,
  type Task,
  taskGroup,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { collected, outcome, outcomes, shown } from "../_support/outcome.ts";
import { turns, virtual } from "../_support/virtual.ts";

function receivers<T>(channel: ReceiveChannel<T>, count: number): Task<T>[] {
  return Array.from(
    { length: count },
    () => createTask(() => channel.receive()),
  );
}

function senders<T>(channel: SendChannel<T>, items: Iterable<T>): Task<void>[] {
  return Array.from(items, (item) => createTask(() => channel.send(item)));
}

/** What can be received without waiting. */
function drained<T>(channel: ReceiveChannel<T>): T[] {
  const items: T[] = [];
  for (let item; (item = channel.tryReceive()) !== null;) items.push(item);
  return items;
}

// ── a rendezvous ───────────────────────────────────────────────────────────

Deno.test(
  "send() to a channel that holds nothing resolves when a receiver has the item",
  virtual(async () => {
    const [send, receive] = openChannel<string>();
    const [sender] = senders(send, ["a"]);
    await turns(5);
    assertFalse(sender!.done());
    assertEquals(receive.statistics().senders, 1);
    assertEquals(await receive.receive(), "a");
    await sender;
  }),
);

Deno.test(
  "a rendezvous is first come, first served on both sides",
  virtual(async () => {
    const [send, receive] = openChannel<string>();
    const waiting = receivers(receive, 3);
    await turns(1);
    await outcomes(senders(send, "abc"));
    assertEquals(await outcomes(waiting), ["a", "b", "c"]);
    const sending = senders(send, "def");
    await turns(1);
    assertEquals(await outcomes(receivers(receive, 3)), ["d", "e", "f"]);
    await outcomes(sending);
  }),
);

Deno.test(
  "the receiver runs before its sender, and the sender before any other",
  virtual(async () => {
    const [send, receive] = openChannel<string>();
    const log: string[] = [];
    for (const name of ["r1", "r2"]) {
      createTask(async () => {
        log.push(`${name} ${await receive.receive()}`);
      });
    }
    await turns(1);
    for (const name of ["s1", "s2"]) {
      createTask(async () => {
        await send.send(name);
        log.push(name);
      });
    }
    await turns(3);
    assertEquals(log, ["r1 s1", "s1", "r2 s2", "s2"]);
  }),
);

Deno.test(
  "a sender that is cancelled before a receiver has its item has not sent it",
  virtual(async () => {
    const [send, receive] = openChannel<string>();
    const [receiver] = receivers(receive, 1);
    await turns(1);
    // Both wait, and the receiver was promised the item.
    const sender = createTask(() => send.send("a"), { eagerStart: true });
    sender.cancel();
    await assertRejects(() => sender, CancelledError);
    await turns(2);
    assertFalse(receiver!.done());
    await send.send("b");
    assertEquals(await receiver, "b");
  }),
);

Deno.test(
  "a receiver whose sender has left keeps its place",
  virtual(async () => {
    for (let leaver = 0; leaver < 3; leaver++) {
      const [send, receive] = openChannel<string>();
      const waiting = receivers(receive, 4);
      await turns(1);
      const sending = [..."abc"].map((item) =>
        createTask(() => send.send(item), { eagerStart: true })
      );
      sending[leaver]!.cancel();
      await turns(3);
      const sent = [..."abc"].toSpliced(leaver, 1);
      assertEquals(
        waiting.map((task) => task.done()),
        [true, true, false, false],
      );
      await send.send("d");
      await send.send("e");
      assertEquals(await outcomes(waiting), [...sent, "d", "e"]);
    }
  }),
);

Deno.test(
  "a sender stays when the receiver that was promised its item is cancelled",
  virtual(async () => {
    const [send, receive] = openChannel<string>();
    const [receiver] = receivers(receive, 1);
    await turns(1);
    const sender = createTask(() => send.send("a"), { eagerStart: true });
    receiver!.cancel();
    await assertRejects(() => receiver!, CancelledError);
    await turns(3);
    assertFalse(sender.done());
    assertEquals(receive.statistics().senders, 1);
    assertEquals(await receive.receive(), "a");
    await sender;
  }),
);

Deno.test(
  "a sender whose item was received is not cancelled any more, but at its next wait",
  virtual(async () => {
    const [send, receive] = openChannel<string>();
    const log: string[] = [];
    const sender = createTask(async () => {
      await send.send("a");
      log.push("sent");
      await sleep(1);
      log.push("never");
    });
    await turns(1);
    // The receiver runs between the handing over and the sender's turn.
    log.push(await receive.receive());
    sender.cancel();
    await assertRejects(() => sender, CancelledError);
    assertEquals(log, ["a", "sent"]);
  }),
);

Deno.test(
  "a sender whose item was received ends with that, also in a timeout",
  virtual(async () => {
    const [send, receive] = openChannel<string>();
    const sender = createTask(() => timeout(10, () => send.send("a")));
    const other = createTask(() => send.send("b"));
    await turns(1);
    assertEquals(await receive.receive(), "a");
    sender.cancel();
    assertEquals(await outcome(sender), undefined);
    assertEquals(receive.tryReceive(), "b");
    await other;
  }),
);

Deno.test(
  "tryReceive() takes the item of a sender that waits, and the sender goes on",
  virtual(async () => {
    const [send, receive] = openChannel<string>();
    const sending = senders(send, "ab");
    await turns(1);
    assertEquals(drained(receive), ["a", "b"]);
    sending[0]!.cancel();
    assertEquals(await outcomes(sending), [undefined, undefined]);
  }),
);

Deno.test(
  "tryReceive() does not take what is reserved for one that waits",
  virtual(async () => {
    const [send, receive] = openChannel<string>();
    const [receiver] = receivers(receive, 1);
    await turns(1);
    const sender = createTask(() => send.send("a"), { eagerStart: true });
    assertEquals(receive.tryReceive(), null);
    assertEquals(await outcomes([receiver!, sender]), ["a", undefined]);
  }),
);

Deno.test(
  "trySend() sends where somebody waits, and otherwise does not",
  virtual(async () => {
    const [send, receive] = openChannel<string>();
    assertFalse(send.trySend("a"));
    const waiting = receivers(receive, 2);
    await turns(1);
    assertEquals(["b", "c", "d"].map((item) => send.trySend(item)), [
      true,
      true,
      false,
    ]);
    assertEquals(await outcomes(waiting), ["b", "c"]);
  }),
);

Deno.test(
  "an item of trySend() whose receiver is cancelled stays for the next",
  virtual(async () => {
    const [send, receive] = openChannel<string>();
    const [receiver] = receivers(receive, 1);
    await turns(1);
    assert(send.trySend("a"));
    receiver!.cancel();
    assertEquals(await outcome(receiver!), "CancelledError");
    const [sender] = senders(send, ["b"]);
    await turns(1);
    assertEquals(await receive.receive() + await receive.receive(), "ab");
    await sender;
  }),
);

// ── one choice of several ──────────────────────────────────────────────────

/** Runs them side by side; the first that is done cancels the others. */
async function firstOf<T>(waits: readonly (() => Promise<T>)[]): Promise<T[]> {
  const done: T[] = [];
  const tasks: Task<void>[] = waits.map((wait) =>
    createTask(async () => {
      done.push(await wait());
      for (const task of tasks) if (task !== currentTask()) task.cancel();
    })
  );
  await outcomes(tasks);
  return done;
}

Deno.test("no choice takes two items, or sends two, in whatever order", async () => {
  await exploreSchedules(async () => {
    const channels = [0, 1, 0, 1].map((maxSize) =>
      openChannel<number>(maxSize)
    );
    const items = createTask(() =>
      firstOf(channels.map(([, receive]) => () => receive.receive()))
    );
    await turns(2);
    const sending = channels.map(([send]) => createTask(() => send.send(1)));
    assertEquals(await items, [1]);
    for (const task of sending) task.cancel();
    await outcomes(sending);
    for (const [send] of channels) send.trySend(2);

    const places = createTask(() =>
      firstOf(channels.map(([send]) => () => send.send(3).then(() => 1)))
    );
    await turns(2);
    const got = channels.map(([, receive], n) =>
      createTask(async () => {
        if (n % 2 === 1) await receive.receive();
        return await receive.receive();
      })
    );
    assertEquals(await places, [1]);
    await turns(3);
    for (const task of got) task.cancel();
    const ends = await outcomes(got);
    assertEquals(ends.filter((end) => end === 3).length, 1);
  }, { runs: 100 });
});

for (const maxSize of [0, 1]) {
  Deno.test(
    `of several receive() that wait, those that lose take nothing (maxSize ${maxSize})`,
    virtual(async () => {
      const channels = [1, 2, 3].map(() => openChannel<number>(maxSize));
      const choice = createTask(() =>
        firstOf(channels.map(([, receive]) => () => receive.receive()))
      );
      await turns(2);
      const sending = channels.map(([send], index) =>
        createTask(() => send.send(index), { eagerStart: true })
      );
      assertEquals(await choice, [0]);
      await turns(2);
      if (maxSize === 0) {
        assertEquals(sending.map((task) => task.done()), [true, false, false]);
      }
      assertEquals(channels.flatMap(([, receive]) => drained(receive)), [1, 2]);
      await outcomes(sending);
    }),
  );

  Deno.test(
    `of several send() that wait, those that lose send nothing (maxSize ${maxSize})`,
    virtual(async () => {
      const channels = [1, 2, 3].map(() => openChannel<number>(maxSize));
      for (const [send] of channels) send.trySend(-1);
      const choice = createTask(() =>
        firstOf(
          channels.map(([send], index) => () =>
            send.send(index).then(() => index)
          ),
        )
      );
      await turns(2);
      const got = maxSize === 0
        ? channels.map(([, receive]) =>
          createTask(() => receive.receive(), { eagerStart: true })
        )
        : channels.map(([, receive]) => {
          assertEquals(receive.tryReceive(), -1);
          return createTask(() => receive.receive(), { eagerStart: true });
        });
      assertEquals(await choice, [0]);
      await turns(2);
      assertEquals(got.map((task) => task.done()), [true, false, false]);
      assertEquals(await got[0], 0);
      for (const task of got.slice(1)) task.cancel();
      await outcomes(got);
    }),
  );
}

// ── a buffer ───────────────────────────────────────────────────────────────

Deno.test(
  "send() waits for room, first come, first served",
  virtual(async () => {
    const [send, receive] = openChannel<string>(2);
    await send.send("a");
    await send.send("b");
    const sending = senders(send, "cd");
    await turns(2);
    assertEquals(sending.map((task) => task.done()), [false, false]);
    assertEquals(receive.tryReceive(), "a");
    // The place is reserved for the one that waits.
    assertFalse(send.trySend("x"));
    await sending[0];
    assertFalse(sending[1]!.done());
    const rest = [1, 2, 3].map(() => receive.receive());
    assertEquals((await Promise.all(rest)).join(""), "bcd");
    await sending[1];
  }),
);

Deno.test(
  "a send() that is let in and then cancelled has not sent",
  virtual(async () => {
    const [send, receive] = openChannel<string>(1);
    await send.send("a");
    const sending = senders(send, "bc");
    await turns(1);
    assertEquals(receive.tryReceive(), "a");
    sending[0]!.cancel();
    assertEquals(await outcomes(sending), ["CancelledError", undefined]);
    assertEquals(drained(receive), ["c"]);
  }),
);

Deno.test(
  "a receive() that is woken and then cancelled passes the item on",
  virtual(async () => {
    const [send, receive] = openChannel<number>(Infinity);
    for (let cancelled = 0; cancelled < 3; cancelled++) {
      const waiting = receivers(receive, 3);
      await turns(1);
      for (const item of [1, 2, 3, 4]) assert(send.trySend(item));
      waiting[cancelled]!.cancel();
      const ends = await outcomes(waiting);
      assertEquals(ends[cancelled], "CancelledError");
      ends.splice(cancelled, 1);
      assertEquals([...ends, ...drained(receive)], [1, 2, 3, 4]);
    }
  }),
);

Deno.test(
  "a channel without bound never lets send() wait",
  virtual(async () => {
    const [send, receive] = openChannel<number>(Infinity);
    for (let i = 0; i < 1000; i++) await send.send(i);
    assertEquals(receive.statistics(), {
      size: 1000,
      maxSize: Infinity,
      sendChannels: 1,
      receiveChannels: 1,
      senders: 0,
      receivers: 0,
    });
    for (let i = 0; i < 1000; i++) assertEquals(await receive.receive(), i);
  }),
);

Deno.test(
  "undefined, functions and NaN are items like any other",
  virtual(async () => {
    const items = [undefined, null, () => 1, NaN];
    const [send, receive] = openChannel<unknown>(items.length);
    for (const item of items) await send.send(item);
    for (const item of items) assertStrictEquals(await receive.receive(), item);
  }),
);

// ── closing ────────────────────────────────────────────────────────────────

Deno.test(
  "the last sender's close ends the receivers after what is left",
  virtual(async () => {
    const [send, receive] = openChannel<string>(2);
    const other = send.clone();
    await send.send("a");
    send.close();
    await other.send("b");
    other.close();
    assertEquals(await receive.receive(), "a");
    assertEquals(receive.tryReceive(), "b");
    await assertRejects(() => receive.receive(), EndOfChannel, "every end");
    assertThrows(() => receive.tryReceive(), EndOfChannel);
    assertEquals(await collected(receive), []);
  }),
);

Deno.test(
  "receivers that wait come to their end, and those that were promised an item get it",
  virtual(async () => {
    for (const maxSize of [0, 1, Infinity]) {
      const [send, receive] = openChannel<string>(maxSize);
      const waiting = receivers(receive, 3);
      await turns(1);
      assert(send.trySend("a"));
      send.close();
      assertEquals(await outcomes(waiting), [
        "a",
        "EndOfChannel",
        "EndOfChannel",
      ]);
    }
  }),
);

Deno.test(
  "the last receiver's close makes send() throw, also where it waits",
  virtual(async () => {
    for (const maxSize of [0, 1]) {
      const [send, receive] = openChannel<string>(maxSize);
      const other = receive.clone();
      send.trySend("a");
      const sending = senders(send, "bc");
      await turns(1);
      receive.close();
      await turns(1);
      assertEquals(sending.map((task) => task.done()), [false, false]);
      other.close();
      assertEquals(await outcomes(sending), [
        "BrokenResourceError",
        "BrokenResourceError",
      ]);
      await assertRejects(() => send.send("d"), BrokenResourceError);
      assertThrows(() => send.trySend("d"), BrokenResourceError, "every end");
      assertEquals(send.statistics().size, 0);
    }
  }),
);

Deno.test(
  "a send() that was let in fails when the last receiver closes",
  virtual(async () => {
    const [send, receive] = openChannel<string>(1);
    await send.send("a");
    const sending = senders(send, "b");
    await turns(1);
    assertEquals(receive.tryReceive(), "a");
    receive.close();
    assertEquals(await outcomes(sending), ["BrokenResourceError"]);
  }),
);

Deno.test(
  "a closed end is an error for its user, and closing again does nothing",
  virtual(async () => {
    const [send, receive] = openChannel<string>(1);
    const [sendAgain, receiveAgain] = [send.clone(), receive.clone()];
    for (const end of [send, receive]) {
      end.close();
      end.close();
      assert(end.isClosed);
      assertThrows(() => end.clone(), ClosedResourceError, "Cannot clone");
    }
    await assertRejects(() => send.send("a"), ClosedResourceError, "Cannot se");
    assertThrows(() => send.trySend("a"), ClosedResourceError);
    await assertRejects(() => receive.receive(), ClosedResourceError, "Cannot");
    assertThrows(() => receive.tryReceive(), ClosedResourceError);
    await assertRejects(() => collected(receive), ClosedResourceError);
    // The others go on.
    await sendAgain.send("b");
    assertEquals(await receiveAgain.receive(), "b");
    const { sendChannels, receiveChannels } = receive.statistics();
    assertEquals([sendChannels, receiveChannels], [1, 1]);
  }),
);

Deno.test(
  "who waits in an end that is closed gets an error, and the others go on",
  virtual(async () => {
    const [send, receive] = openChannel<string>();
    const [sendToo, receiveToo] = [send.clone(), receive.clone()];
    const waiting = [
      ...receivers(receive, 1),
      ...receivers(receiveToo, 1),
      ...receivers(receive, 1),
    ];
    await turns(1);
    receive.close();
    await send.send("a");
    assertEquals(await outcomes(waiting), [
      "ClosedResourceError",
      "a",
      "ClosedResourceError",
    ]);
    const sending = [
      ...senders(send, "b"),
      ...senders(sendToo, "c"),
      ...senders(send, "d"),
    ];
    await turns(1);
    send.close();
    assertEquals(await receiveToo.receive(), "c");
    assertEquals(await outcomes(sending), [
      "ClosedResourceError",
      undefined,
      "ClosedResourceError",
    ]);
  }),
);

Deno.test(
  "an item promised to a receiver whose end is closed goes to the next",
  virtual(async () => {
    for (const maxSize of [0, 1]) {
      const [send, receive] = openChannel<string>(maxSize);
      const other = receive.clone();
      const waiting = [...receivers(receive, 1), ...receivers(other, 1)];
      await turns(1);
      const sender = createTask(() => send.send("a"), { eagerStart: true });
      receive.close();
      assertEquals(await outcomes([...waiting, sender]), [
        "ClosedResourceError",
        "a",
        undefined,
      ]);
    }
  }),
);

Deno.test(
  "a receiver that was promised the item of a closed end waits on, or ends",
  virtual(async () => {
    for (const isLast of [false, true]) {
      const [send, receive] = openChannel<string>();
      const other = send.clone();
      const [receiver] = receivers(receive, 1);
      await turns(1);
      const sender = createTask(() => send.send("a"), { eagerStart: true });
      if (isLast) other.close();
      send.close();
      assertEquals(await outcome(sender), "ClosedResourceError");
      await turns(2);
      if (isLast) assertEquals(await outcome(receiver!), "EndOfChannel");
      else {
        await other.send("b");
        assertEquals(await receiver, "b");
      }
    }
  }),
);

Deno.test(
  "room that was kept for a sender of a closed end goes to the next",
  virtual(async () => {
    const [send, receive] = openChannel<string>(1);
    const other = send.clone();
    await send.send("a");
    const sending = [...senders(send, "b"), ...senders(other, "c")];
    await turns(1);
    assertEquals(receive.tryReceive(), "a");
    send.close();
    assertEquals(await outcomes(sending), ["ClosedResourceError", undefined]);
    assertEquals(drained(receive), ["c"]);
  }),
);

Deno.test(
  "both ends close with their block",
  virtual(async () => {
    const [send, receive] = openChannel<number>();
    const log: unknown[] = [];
    await taskGroup((group) => {
      group.createTask(async () => {
        using out = send;
        for (let i = 0; i < 3; i++) await out.send(i);
      });
      group.createTask(async () => {
        using inbox = receive;
        for await (const item of inbox) log.push(item);
        log.push("end");
      });
    });
    assertEquals(log, [0, 1, 2, "end"]);
    assert(send.isClosed && receive.isClosed);
  }),
);

Deno.test(
  "leaving the loop leaves the channel open",
  virtual(async () => {
    const [send, receive] = openChannel<string>(3);
    for (const item of "abc") await send.send(item);
    for await (const item of receive) {
      assertEquals(item, "a");
      break;
    }
    assertEquals(drained(receive), ["b", "c"]);
  }),
);

// ── cancellation, time, loops ──────────────────────────────────────────────

Deno.test(
  "C17 send() and receive() reject a remembered cancellation at once",
  virtual(async () => {
    for (const maxSize of [0, 2]) {
      const [send, receive] = openChannel<string>(maxSize);
      if (maxSize > 0) await send.send("a");
      for (const wait of [() => send.send("b"), () => receive.receive()]) {
        const task: Task<unknown> = createTask(async () => {
          task.cancel();
          await wait();
        });
        await assertRejects(() => task, CancelledError);
      }
      assertEquals(drained(receive), maxSize > 0 ? ["a"] : []);
      const { senders, receivers } = send.statistics();
      assertEquals([senders, receivers], [0, 0]);
    }
  }),
);

Deno.test(
  "a timeout around send() and receive() leaves nothing behind",
  virtual(async () => {
    const [send, receive] = openChannel<string>();
    await assertRejects(() => timeout(5, () => send.send("a")), TimeoutError);
    await assertRejects(
      () => timeout(5, () => receive.receive()),
      TimeoutError,
    );
    const { senders, receivers } = send.statistics();
    assertEquals([senders, receivers, receive.tryReceive()], [0, 0, null]);
  }),
);

Deno.test(
  "an item is received if and only if send() says so, whatever the order",
  async () => {
    for (const maxSize of [0, 1]) {
      await exploreSchedules(async () => {
        const [send, receive] = openChannel<number>(maxSize);
        const [sent, got] = [new Set<number>(), new Set<number>()];
        const tasks = [0, 1, 2].flatMap((n) => [
          createTask(async () => {
            await send.send(n);
            sent.add(n);
          }),
          createTask(async () => void got.add(await receive.receive())),
        ]);
        for (const index of [0, 3, 4]) {
          createTask(() => void tasks[index]!.cancel());
        }
        await turns(4);
        for (const item of drained(receive)) got.add(item);
        await turns(4);
        for (const task of tasks) task.cancel();
        await outcomes(tasks);
        assertEquals([...got].sort(), [...sent].sort());
      }, { runs: 50 });
    }
  },
);

Deno.test("a channel belongs to the loop in which it was waited for", async () => {
  const [send, receive] = openChannel<string>();
  await run(() => assertRejects(() => timeout(0, () => receive.receive())));
  await run(async () => {
    await assertRejects(
      () => receive.receive(),
      InvalidStateError,
      "Cannot wait in ReceiveChannel.receive as it is bound to another",
    );
  });
  const loop = newEventLoop();
  assertFalse(send.trySend("a"));
  loop.close();
});

Deno.test(
  "a task that waits in a channel tells where",
  virtual(async () => {
    const [send, receive] = openChannel<string>();
    const [receiver] = receivers(receive, 1);
    await turns(1);
    assertStringIncludes(`${receiver}`, "waiting for ReceiveChannel.receive");
    receiver!.cancel();
    const [sender] = senders(send, "a");
    await turns(1);
    assertStringIncludes(`${sender}`, "waiting for SendChannel.send");
    sender!.cancel();
    await outcomes([receiver!, sender!]);
  }),
);

// ── its words ──────────────────────────────────────────────────────────────

Deno.test("openChannel() refuses what is no size", () => {
  for (const maxSize of [-1, 1.5, NaN, -Infinity]) {
    assertThrows(
      () => openChannel(maxSize),
      RangeError,
      `Cannot open a channel as 'maxSize' must be an integer of at least 0, or Infinity: received ${maxSize}`,
    );
  }
  for (const maxSize of ["1", null, { maxSize: 1 }]) {
    assertThrows(() => openChannel(maxSize as never), TypeError, "a number");
  }
});

Deno.test("the ends of a channel are made by openChannel() alone", () => {
  for (const Class of [SendChannel, ReceiveChannel]) {
    assertThrows(() => new Class({} as never), TypeError, "openChannel()");
  }
});

Deno.test(
  "an end says what its channel is doing",
  virtual(async () => {
    const [send, receive] = openChannel<string>(1);
    await send.send("a");
    const [sender] = senders(send, "b");
    await turns(1);
    const text = "<SendChannel size=1 maxSize=1 senders=1>";
    assertEquals([`${send}`, shown(send)], [text, text]);
    assertEquals(drained(receive), ["a"]);
    await sender;
    receive.close();
    assertEquals(`${receive}`, "<ReceiveChannel size=0 maxSize=1 closed>");
    assert(Object.isFrozen(receive.statistics()));
    assertEquals(
      Object.prototype.toString.call(receive),
      "[object ReceiveChannel]",
    );
  }),
);
