/** Things to throw that refuse to be looked at, or that have no end. */

function withGetter(key: string): Error {
  return Object.defineProperty(new Error("plain"), key, {
    get() {
      throw new RangeError(`no ${key}`);
    },
  });
}

function withSymbol(key: string): Error {
  return Object.defineProperty(new Error("plain"), key, {
    value: Symbol("odd"),
  });
}

/** A proxy of which nothing can be asked any more. */
export function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** An error that answers no question at all. */
function silent(): object {
  const refuse = (): never => {
    throw new RangeError("not to be asked");
  };
  return new Proxy(new Error("plain"), {
    get: refuse,
    has: refuse,
    getPrototypeOf: refuse,
    ownKeys: refuse,
    getOwnPropertyDescriptor: refuse,
  });
}

/** An error that is the cause of its cause. */
export function circle(): Error {
  const error = new Error("request failed");
  error.cause = new Error("retry", { cause: error });
  return error;
}

function groupOfItself(): AggregateError {
  const group = new AggregateError([new Error("member")], "group");
  group.errors.push(group, new AggregateError([group], "inner"));
  return group;
}

/** Each group holds the next one twice: 2 ** 20 errors, written out. */
export function sharedGroups(): AggregateError {
  let group = new AggregateError([new Error("the innermost")], "level 0");
  for (let level = 1; level <= 20; level++) {
    group = new AggregateError([group, group], `level ${level}`);
  }
  return group;
}

function longChain(): Error {
  let error = new Error("the first");
  for (let n = 0; n < 20_000; n++) {
    error = new Error(`retry ${n}`, { cause: error });
  }
  return error;
}

/** What it is, and a function that makes one. */
export const ODD_ERRORS: readonly (readonly [string, () => unknown])[] = [
  ...["name", "message", "stack", "constructor", "cause"].flatMap((key) =>
    [
      [`an error whose ${key} cannot be read`, () => withGetter(key)],
      [`an error whose ${key} is a symbol`, () => withSymbol(key)],
    ] as const
  ),
  ["a revoked proxy", revoked],
  ["an error that answers nothing", silent],
  ["an object without a prototype", () => Object.create(null)],
  ["a symbol", () => Symbol("odd")],
  ["a function without a name", () => () => {}],
  ["an object whose toString throws", () => ({
    toString() {
      throw new Error("no text");
    },
  })],
  ["a circle of causes", circle],
  ["a group that is in itself", groupOfItself],
  ["groups that share their members", sharedGroups],
  ["a chain of 20,000 causes", longChain],
  [
    "a group whose errors are no list",
    () =>
      Object.defineProperty(new AggregateError([], "group"), "errors", {
        value: 5,
      }),
  ],
  [
    "an error of another realm",
    () => Object.setPrototypeOf(new Error("far away"), null),
  ],
];

/** For a worker: throws the odd error of that number. */
export function throwOdd(index: number): never {
  throw ODD_ERRORS[index]![1]();
}

/** For a worker: returns what cannot be asked for its `then`. */
export function returnOdd(): unknown {
  return {
    get then(): never {
      throw new RangeError("no then");
    },
  };
}

/** For a worker: an error that carries others among its properties. */
export function throwCarrier(): never {
  const shared = new Error("shared");
  const group = new AggregateError([shared, shared], "group");
  throw Object.defineProperty(
    Object.assign(group, { code: 5, onRetry: () => {} }),
    "broken",
    {
      enumerable: true,
      get() {
        throw new Error("no property");
      },
    },
  );
}
