import { AsyncLocalStorage } from "node:async_hooks";
import { bare, check, effection, ours } from "../sides.ts";
import { atLeast } from "../targets.ts";
import type { TimedRow } from "../types.ts";

/** Read a context variable. */
export const contextGet: TimedRow = {
  kind: "timed",
  id: "context_get",
  title: "context variable, read",
  size: 1000,
  python: true,
  targets: [{ peer: "bare", atMost: 4 }, { peer: "effection", atLeast: 1 }],
  notes: {
    bare: "AsyncLocalStorage.getStore",
    effection: "yield* context.get()",
  },
  peers: {
    ours: ours(({ ContextVar }) => async (size) => {
      const variable = new ContextVar<number>("variable");
      variable.set(1);
      let sum = 0;
      for (let i = size; i > 0; i--) sum += variable.get();
      check(sum, size);
    }),
    bare: bare(async (size) => {
      const storage = new AsyncLocalStorage<number>();
      storage.run(1, () => {
        let sum = 0;
        for (let i = size; i > 0; i--) sum += storage.getStore() ?? 0;
        check(sum, size);
      });
    }),
    effection: effection(({ createContext }) => {
      const context = createContext<number>("variable");
      return function* (size) {
        yield* context.set(1);
        let sum = 0;
        for (let i = size; i > 0; i--) sum += (yield* context.get()) ?? 0;
        check(sum, size);
      };
    }),
  },
};

/** Set a context variable and put the old value back. */
export const contextSet: TimedRow = {
  kind: "timed",
  id: "context_set",
  title: "context variable, set and reset",
  size: 1000,
  python: true,
  targets: atLeast({ uvloop: 0.5, effection: 0.5 }),
  notes: {
    bare: "AsyncLocalStorage.run of an empty function",
    effection: "context.with() of an empty operation",
  },
  peers: {
    ours: ours(({ ContextVar }) => async (size) => {
      const variable = new ContextVar<number>("variable");
      for (let i = size; i > 0; i--) variable.reset(variable.set(i));
    }),
    bare: bare(async (size) => {
      const storage = new AsyncLocalStorage<number>();
      for (let i = size; i > 0; i--) storage.run(i, () => {});
    }),
    effection: effection(({ createContext }) => {
      const context = createContext<number>("variable");
      return function* (size) {
        const empty = function* () {};
        for (let i = size; i > 0; i--) yield* context.with(i, empty);
      };
    }),
  },
};

/** Start a task that sets a variable of its own. */
export const contextTask: TimedRow = {
  kind: "timed",
  id: "context_task",
  title: "task that inherits a context variable and sets it",
  size: 100,
  python: true,
  targets: atLeast({ uvloop: 1, effection: 1 }),
  notes: { bare: "an async function inside AsyncLocalStorage.run" },
  peers: {
    ours: ours(({ ContextVar, createTask }) => async (size) => {
      const variable = new ContextVar<number>("variable");
      variable.set(1);
      const child = async () => {
        variable.set(variable.get() + 1);
        return variable.get();
      };
      let sum = 0;
      for (let i = size; i > 0; i--) sum += await createTask(child);
      check(sum, 2 * size);
    }),
    bare: bare((size) => {
      const storage = new AsyncLocalStorage<number>();
      const child = async () => storage.getStore() ?? 0;
      return storage.run(1, async () => {
        let sum = 0;
        for (let i = size; i > 0; i--) {
          sum += await storage.run((storage.getStore() ?? 0) + 1, child);
        }
        check(sum, 2 * size);
      });
    }),
    effection: effection(({ createContext, spawn }) => {
      const context = createContext<number>("variable");
      const child = function* () {
        yield* context.set(((yield* context.get()) ?? 0) + 1);
        return (yield* context.get()) ?? 0;
      };
      return function* (size) {
        yield* context.set(1);
        let sum = 0;
        for (let i = size; i > 0; i--) sum += yield* yield* spawn(child);
        check(sum, 2 * size);
      };
    }),
  },
};
