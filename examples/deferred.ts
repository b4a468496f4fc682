/**
 * Coming from Twisted: one program in two columns, Deferred and async/await.
 *
 * The chapter "Learn asyncio if you come from Twisted". Its Rosetta stone, with
 * the words of this library:
 *
 *     Twisted                     here
 *     Deferred                    Future, from loop.createFuture()
 *     d.addCallback(f)            future.then(f)
 *     d.callback(value)           future.setResult(value)
 *     reactor.callLater(1.0, f)   loop.callLater(1000, f)
 *     reactor.run(), .stop()      loop.runForever(), loop.stop()
 *     @inlineCallbacks            async function
 *
 * Both columns double 5, which takes a second each.
 *
 *     deno task example deferred
 *
 * prints
 *
 *     with callbacks: 10
 *     with async/await: 10
 *
 * @module
 */

import {
  type EventLoop,
  type Future,
  newEventLoop,
  sleep,
} from "@asyncio/asyncio";

// The left column: nothing waits, everything calls back.

function multiplyDeferred(loop: EventLoop, x: number): Future<number> {
  const future = loop.createFuture<number>();
  loop.callLater(1000, () => future.setResult(x * 2));
  return future;
}

async function runWithCallbacks(loop: EventLoop): Promise<void> {
  const deferred = loop.createFuture<number>();
  deferred
    .then((x) => multiplyDeferred(loop, x))
    .then((result) => {
      console.log(`with callbacks: ${result}`);
      loop.stop();
    });
  deferred.setResult(5);
  await loop.runForever();
}

// The right column: the same steps, from top to bottom.

async function multiply(x: number): Promise<number> {
  await sleep(1000);
  return x * 2;
}

async function steps(x: number): Promise<void> {
  const result = await multiply(x);
  console.log(`with async/await: ${result}`);
}

async function runWithAwait(loop: EventLoop): Promise<void> {
  await loop.runUntilComplete(() => steps(5));
}

export async function main(loop: EventLoop = newEventLoop()): Promise<void> {
  await runWithCallbacks(loop);
  await runWithAwait(loop);
  loop.close();
}

if (import.meta.main) await main();
