/** What the tests of the callers in stacks share. */
import { getRunningLoop, run } from "@asyncio/asyncio";
import {
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";

export type Operation = () => Promise<unknown>;

/** An operation that fails, and how. */
export interface Failure {
  /** What fails: the call whose caller is looked for. */
  readonly what: string;
  readonly error: abstract new (...args: never) => Error;
  readonly message: RegExp;
  /** Gives the operation; what it needs is closed by `onEnd`. */
  prepare(
    onEnd: (close: () => unknown) => void,
  ): Operation | Promise<Operation>;
  /** It does not fail that way on this host. */
  readonly ignore?: boolean;
}

/** The operation, and what makes it fail once its caller waits. */
export function whileWaiting(
  fail: () => void,
  operation: Operation,
): Operation {
  return () => {
    getRunningLoop().callSoon(fail);
    return operation();
  };
}

/** The one whose name is looked for. */
export async function firstUser(operation: Operation): Promise<void> {
  await operation();
}

async function theirHelper(operation: Operation): Promise<unknown> {
  return await operation();
}

/** The same behind a helper. */
async function secondUser(operation: Operation): Promise<void> {
  // They are not on the stack any more when it fails.
  await null;
  await theirHelper(operation);
}

/** The error as it reaches `user`. */
export async function errorOf(
  { prepare }: Failure,
  user: (operation: Operation) => Promise<void>,
  debug: boolean,
): Promise<Error> {
  const ends: (() => unknown)[] = [];
  return await run(async () => {
    const operation = await prepare((close) => ends.push(close));
    try {
      await user(operation);
    } catch (error) {
      return error as Error;
    } finally {
      for (const end of ends.reverse()) await end();
    }
    throw new Error("It did not fail");
  }, { debug });
}

/** That its stack names who awaits it, also behind a helper. */
export async function assertNamesCaller(failure: Failure): Promise<void> {
  for (const debug of [false, true]) {
    for (const user of [firstUser, secondUser]) {
      const error = await errorOf(failure, user, debug);
      assertInstanceOf(error, failure.error, `${error.stack}`);
      assertMatch(error.message, failure.message);
      assertStringIncludes(error.stack!, user.name);
      const [head] = error.stack!.split(`${error.name}: ${error.message}\n`);
      assertEquals(head, "", error.stack);
    }
  }
}
