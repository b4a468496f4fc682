/** The magic numbers of the library, each with its reason. */

/** A host timer longer than this fires after 1 ms on Deno and Node alike. */
export const LONGEST_HOST_TIMER_MS = 2_147_483_647;

/**
 * Steps and immediate successes between two turns of the host's loop. At
 * ~0.15 µs each a turn of ~2 µs costs them 5%. Deno looks at its sockets about
 * every sixtieth turn while others follow at once, so this many steps times
 * sixty is what a socket waits for code that does nothing but switch: some 2 ms.
 */
export const STEPS_A_TURN = 256;

/**
 * How many microtasks the loop waits for code that it has woken and that does
 * not come to a wait of the library, before it wakes the next. Each `async`
 * function between a wait and the code that acts on it takes one, each future
 * and each block of the library one more.
 */
export const WAKING_HOPS = 50;

/** A step that holds the loop longer than this is reported in debug mode. */
export const SLOW_CALLBACK_MS = 100;

/** Frames kept of where a task, a future or a handle was made; asyncio's 10. */
export const CREATION_STACK_FRAMES = 10;

/**
 * Turns of the host that an operation may take to end once its signal was
 * aborted: `fetch` takes one on Deno and none on Node.
 */
export const TURNS_TO_ABORT = 4;

/**
 * How long a cancelled task may stay in an await the library cannot interrupt
 * before debug mode names it.
 */
export const STUCK_AFTER_CANCEL_MS = 1000;

/**
 * How long debug mode waits for tasks that wait for each other, before it looks
 * whether they still do.
 */
export const LIVE_DEADLOCK_MS = 1000;

/** How long `run` waits for the default executor; asyncio's 300 s. */
export const EXECUTOR_SHUTDOWN_MS = 300_000;

/** The exit status of a program ended by SIGINT, by convention 128 + 2. */
export const SIGINT_EXIT_STATUS = 130;

/** Bytes that a stream's reader holds, and the longest line it gives: asyncio's 64 KiB. */
export const STREAM_LIMIT = 65_536;

/**
 * A chunk up to this size is copied when it comes to others that were not read
 * yet: as an object of its own it would cost more than its bytes.
 */
export const SMALL_CHUNK = 512;

/** What such chunks are copied to: room for some, and little lost where few come. */
export const GATHERED_BLOCK = 4096;
