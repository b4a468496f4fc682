import {
  BrokenBarrierError,
  CancelledError,
  createTask,
  ExceptionGroup,
  InternalError,
  InvalidStateError,
  isCancelledError,
  KeyboardInterrupt,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  sleep,
  SystemExit,
  taskGroup,
  TimeoutError,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { isError } from "../_internal/error_text.ts";
import { revoked } from "./_support/odd_errors.ts";
import { virtual } from "./_support/virtual.ts";

/** What another copy of this package, of npm beside JSR, would throw. */
function foreignCancelledError(): Error {
  const error = new Error("from another copy");
  Object.defineProperty(error, Symbol.for("@asyncio/asyncio/CancelledError"), {
    value: true,
  });
  return error;
}

const isTimeout = (error: unknown) => error instanceof TimeoutError;

Deno.test("every class has its name, is an Error and keeps its cause", () => {
  const cause = new Error("cause");
  const errors = [
    new CancelledError("m", { cause }),
    new TimeoutError("m", { cause }),
    new InvalidStateError("m", { cause }),
    new BrokenBarrierError("m", { cause }),
    new QueueEmpty("m", { cause }),
    new QueueFull("m", { cause }),
    new QueueShutDown("m", { cause }),
    new KeyboardInterrupt("m", { cause }),
  ];
  for (const error of errors) {
    assertInstanceOf(error, Error);
    assertEquals(error.name, error.constructor.name);
    assertEquals(error.message, "m");
    assertStrictEquals(error.cause, cause);
    assert(error.stack?.startsWith(`${error.name}: m`));
  }
});

Deno.test("CancelledError has a reason and who asked only where they were given", () => {
  const bare = new CancelledError();
  assertEquals(bare.message, "The task was cancelled");
  assertEquals(Object.keys(bare), []);
  const full = new CancelledError("stop", { reason: 7, by: "boss" });
  assertEquals([full.message, full.reason, full.by], ["stop", 7, "boss"]);
});

Deno.test("isCancelledError() knows the class, of other copies as well", () => {
  assert(isCancelledError(new CancelledError()));
  assert(isCancelledError(foreignCancelledError()));
  for (const other of [new TimeoutError(), new Error(), null, undefined, "x"]) {
    assertFalse(isCancelledError(other));
  }
});

Deno.test(
  "the CancelledError of another copy counts as a cancellation",
  virtual(async () => {
    const error = foreignCancelledError();
    const task = createTask(() => Promise.reject(error));
    assertStrictEquals(await assertRejects(() => task), error);
    assert(task.cancelled());
    await taskGroup((group) => {
      group.createTask(() => Promise.reject(foreignCancelledError()));
    });
  }),
);

Deno.test(
  "cancel() given a CancelledError throws it as it is",
  virtual(async () => {
    const error = new CancelledError("mine", { reason: 7 });
    const task = createTask(() => sleep(1000));
    await sleep(0);
    task.cancel(error);
    assertStrictEquals(await assertRejects(() => task), error);
  }),
);

Deno.test("ExceptionGroup refuses what is no list of errors", () => {
  const lists = [[5, "5"], [undefined, "undefined"], [{}, "an object"]];
  for (const [wrong, shown] of lists) {
    assertThrows(
      () => new ExceptionGroup(wrong as never),
      TypeError,
      `'errors' must be a list of errors: received ${shown}`,
    );
  }
});

Deno.test("ExceptionGroup holds errors, and tells the first in its message", () => {
  const errors = [new TimeoutError("slow"), new RangeError("far")];
  const group = new ExceptionGroup(errors, "Two failed");
  assertInstanceOf(group, AggregateError);
  assertEquals(group.name, "ExceptionGroup");
  assertEquals(
    group.message,
    "Two failed (2 errors: TimeoutError: slow; RangeError: far)",
  );
  assertEquals(group.errors, errors);
  assertEquals(
    new ExceptionGroup([new Error()]).message,
    "Several tasks failed (1 error: Error)",
  );
});

Deno.test("ExceptionGroup keeps its message short, and on one line", () => {
  const many = Array.from({ length: 1000 }, (_, i) => new Error(`${i}`));
  assertEquals(
    new ExceptionGroup(many, "Failed").message,
    "Failed (1000 errors: Error: 0; Error: 1; Error: 2 and 997 more)",
  );
  let group = new ExceptionGroup([new Error(`one\n  two${"!".repeat(1000)}`)]);
  assertMatch(group.message, /\(1 error: Error: one two!{60,80}\u2026\)$/);
  for (let i = 0; i < 100; i++) group = new ExceptionGroup([group], "Around");
  assertMatch(
    group.message,
    /^Around \(1 error: ExceptionGroup: Around .{0,60}\u2026\)$/,
  );
});

Deno.test("ExceptionGroup takes whatever was thrown", () => {
  const nasty = new Error("x");
  Object.defineProperty(nasty, "message", {
    get() {
      throw new Error("no message");
    },
  });
  const unnamed = Object.assign(new Error("y"), { name: Symbol("name") });
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const errors = [
    nasty,
    unnamed,
    proxy,
    "text",
    null,
    {},
    () => {},
    Symbol("s"),
    1n,
  ];
  const messages = errors.map((error) => new ExceptionGroup([error]).message);
  assertEquals(messages.map((message) => message.slice(31, -1)), [
    "an error that has no text",
    "an error that has no text",
    "an error that has no text",
    "text",
    "null",
    "an object",
    "a function",
    "Symbol(s)",
    "1",
  ]);
});

Deno.test("ExceptionGroup refuses to be empty", () => {
  assertThrows(
    () => new ExceptionGroup([]),
    RangeError,
    "'errors' must hold at least one error: received none",
  );
});

Deno.test("split() parts a group by a test, and keeps its text and cause", () => {
  const cause = new Error("cause");
  const [slow, far] = [new TimeoutError("slow"), new RangeError("far")];
  const group = new ExceptionGroup([slow, far], "Failed", { cause });
  const [matched, rest] = group.split(isTimeout);
  assertEquals(matched!.errors, [slow]);
  assertEquals(rest!.errors, [far]);
  assertEquals(matched!.message, "Failed (1 error: TimeoutError: slow)");
  assertStrictEquals(rest!.cause, cause);
});

Deno.test("split() and subgroup() say where the group came from", () => {
  const makeGroup = () =>
    new ExceptionGroup([new TimeoutError("slow"), new RangeError("far")], "A");
  const group = makeGroup();
  const frames = (error: Error) => error.stack!.split("\n").slice(1);
  for (const part of [...group.split(isTimeout), group.subgroup(isTimeout)]) {
    assertEquals(frames(part!), frames(group));
    assertEquals(
      part!.stack!.split("\n")[0],
      `ExceptionGroup: ${part!.message}`,
    );
    assertFalse(Object.keys(part!).includes("stack"));
    assertFalse("cause" in part!);
  }
});

Deno.test("split() keeps the nesting in both parts", () => {
  const [slow, far] = [new TimeoutError("slow"), new RangeError("far")];
  const group = new ExceptionGroup([
    new ExceptionGroup([slow, far], "Inner"),
    new ExceptionGroup([far], "Only far"),
    slow,
  ], "Outer");
  const [matched, rest] = group.split(isTimeout);
  const shape = (group: ExceptionGroup | null): unknown =>
    group?.errors.map((error) =>
      error instanceof ExceptionGroup ? shape(error) : error.message
    );
  assertEquals(shape(matched), [["slow"], "slow"]);
  assertEquals(shape(rest), [["far"], ["far"]]);
  assertEquals(
    matched!.errors[0].message,
    "Inner (1 error: TimeoutError: slow)",
  );
});

Deno.test("split() parts a group that holds nothing but one group", () => {
  const [slow, far] = [new TimeoutError("slow"), new RangeError("far")];
  const group = new ExceptionGroup([new ExceptionGroup([slow, far])]);
  const [matched, rest] = group.split(isTimeout);
  assertEquals(matched!.errors[0].errors, [slow]);
  assertEquals(rest!.errors[0].errors, [far]);
});

Deno.test("split() parts groups that are nested deeper than the stack is", () => {
  const [slow, far] = [new TimeoutError("slow"), new RangeError("far")];
  let group = new ExceptionGroup([slow, far]);
  for (let i = 0; i < 20_000; i++) group = new ExceptionGroup([group]);
  const innermost = group.split(isTimeout).map((part) => {
    let each = part!;
    while (each.errors[0] instanceof ExceptionGroup) each = each.errors[0];
    return each.errors;
  });
  assertEquals(innermost, [[slow], [far]]);
});

Deno.test("split() gives the group itself where all match, and null for nothing", () => {
  const group = new ExceptionGroup([
    new TimeoutError(),
    new ExceptionGroup([new TimeoutError()]),
  ]);
  const [all, none] = group.split(isTimeout);
  assertStrictEquals(all, group);
  assertEquals(none, null);
  assertEquals(group.split(() => false), [null, group]);
});

Deno.test("subgroup() gives what matched, or null", () => {
  const [slow, far] = [new TimeoutError("slow"), new RangeError("far")];
  const group = new ExceptionGroup([slow, new ExceptionGroup([far])]);
  assertEquals(group.subgroup(isTimeout)!.errors, [slow]);
  assertEquals(group.subgroup((error) => error === 1), null);
});

Deno.test("SystemExit has a status from 0 to 255", () => {
  assertEquals(new SystemExit().code, 0);
  assertEquals(new SystemExit(3).message, "Exit with status 3");
  for (const code of [-1, 256, 1.5, NaN, "3" as never]) {
    assertThrows(
      () => new SystemExit(code),
      RangeError,
      `'code' must be an integer from 0 to 255: received ${code}`,
    );
  }
});

Deno.test("the other errors have messages of their own", () => {
  assertEquals(new TimeoutError().message, "The deadline passed");
  assertEquals(new KeyboardInterrupt().message, "Interrupted by SIGINT");
  assert(new InternalError("x").message.includes("please report it"));
});

Deno.test("split() comes to an end where groups hold each other, or share", () => {
  const isRange = (error: unknown) =>
    isError(error) && error.name === "RangeError";
  const outer = new ExceptionGroup([new RangeError("a"), new Error("b")]);
  outer.errors.push(outer, new ExceptionGroup([outer, revoked()]));
  const [ranges, rest] = outer.split(isRange);
  assertEquals(ranges?.errors.map((each) => each.message), ["a"]);
  assertEquals(rest?.errors.length, 2);
  let shared = new ExceptionGroup([new RangeError("a"), new Error("b")]);
  for (let level = 0; level < 30; level++) {
    shared = new ExceptionGroup([shared, shared]);
  }
  let calls = 0;
  const part = shared.subgroup((error) => {
    calls++;
    return isRange(error);
  });
  assertEquals([calls, part?.errors.length], [2, 2]);
});

Deno.test("split() and subgroup() take a class of errors", () => {
  class TooFar extends RangeError {}
  const far = new TooFar("far");
  const group = new ExceptionGroup([
    new TypeError("odd"),
    new ExceptionGroup([far, new Error("plain")]),
  ]);
  const [matched, rest] = group.split(RangeError);
  assertEquals(leaves(matched!), [far]);
  assertEquals(leaves(rest!).map(String), ["TypeError: odd", "Error: plain"]);
  assertEquals(group.subgroup(TooFar)?.errors.length, 1);
  assertStrictEquals(group.subgroup(Error), group);
  assertThrows(
    () => group.split("RangeError" as never),
    TypeError,
    "'matches' must be a function or a class of errors: received RangeError",
  );
  assertThrows(
    () => group.subgroup(Object.create(null)),
    TypeError,
    "'matches' must be a function or a class of errors: received an object",
  );
});

function leaves(group: ExceptionGroup): unknown[] {
  return group.errors.flatMap((error) =>
    error instanceof ExceptionGroup ? leaves(error) : [error]
  );
}

Deno.test("an ExceptionGroup refuses a message in place of its errors", () => {
  assertThrows(
    () => new ExceptionGroup("message", [new Error("x")] as never),
    TypeError,
    "'errors' must be a list of errors: received a string",
  );
});
