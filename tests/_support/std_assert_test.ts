import {
  assert,
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  AssertionError,
  assertNotEquals,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "./std_assert.ts";

/** The message of the assertion error that a function throws. */
function failure(fn: () => void): string {
  try {
    fn();
  } catch (error) {
    if (error instanceof AssertionError) return error.message;
    throw error;
  }
  throw new Error("The assertion held");
}

Deno.test("assertEquals() compares by structure", () => {
  assertEquals({ a: [1, new Uint8Array([2])] }, {
    a: [1, new Uint8Array([2])],
  });
  assertEquals(NaN, NaN);
  assertEquals(0, -0);
  assertNotEquals([1], [2]);
  assert(failure(() => assertEquals([1, 2], [1, 3])).includes("+   2"));
  assert(failure(() => assertEquals({}, { a: undefined })) !== "");
  assert(failure(() => assertEquals(1 as unknown, "1")) !== "");
  assert(failure(() => assertNotEquals([1], [1])) !== "");
});

Deno.test("assertStrictEquals() compares by identity", () => {
  const object = {};
  assertStrictEquals(object, object);
  assertNotStrictEquals(object, {});
  assert(failure(() => assertStrictEquals({}, {})) !== "");
  assert(failure(() => assertStrictEquals(0, -0)) !== "");
});

Deno.test("assertThrows() gives the error and checks class and text", () => {
  const thrower = () => {
    throw new RangeError("Cannot grow: received -1");
  };
  assertEquals(assertThrows(thrower, RangeError, "-1").name, "RangeError");
  assert(assertThrows(thrower) instanceof RangeError);
  assert(failure(() => assertThrows(thrower, TypeError)) !== "");
  assert(failure(() => assertThrows(thrower, RangeError, "-2")) !== "");
  assert(
    failure(() => assertThrows(() => {}, "no error")).includes("no error"),
  );
});

Deno.test("assertRejects() asks for a promise that rejects", async () => {
  const rejecter = () => Promise.reject(new RangeError("Cannot grow"));
  const error = await assertRejects(rejecter, RangeError, "grow");
  assertEquals(error.message, "Cannot grow");
  await assertRejects(
    () => assertRejects(rejecter, TypeError),
    AssertionError,
    "RangeError",
  );
  await assertRejects(
    () => assertRejects(() => Promise.resolve()),
    AssertionError,
    "to reject",
  );
  await assertRejects(
    () =>
      assertRejects(() => {
        throw new RangeError("too early");
      }),
    AssertionError,
    "throws when expected to reject",
  );
});

Deno.test("assertAlmostEquals() and assertArrayIncludes() have bounds", () => {
  assertAlmostEquals(0.1 + 0.2, 0.3);
  assertAlmostEquals(10, 12, 2);
  assertArrayIncludes([{ a: 1 }, { a: 2 }], [{ a: 2 }]);
  assert(failure(() => assertAlmostEquals(1, 1.1)) !== "");
  assert(failure(() => assertArrayIncludes([1], [2])).includes("missing"));
});
