"""The work of the rows, on asyncio's API: the same statements as `../rows/*.ts`, run on asyncio's loop and on uvloop's.

Each takes the number of rounds and the operations in one, and is over when all it started is.
"""

import asyncio
import contextvars
import inspect


async def start_task(rounds, size):
    async def child():
        pass

    for _ in range(rounds * size):
        await asyncio.create_task(child())


async def start_eager(rounds, size):
    async def child():
        pass

    loop = asyncio.get_running_loop()
    for _ in range(rounds * size):
        await asyncio.Task(child(), loop=loop, eager_start=True)


async def await_done(rounds, size):
    async def child():
        return 1

    for _ in range(rounds):
        task = asyncio.create_task(child())
        total = 0
        for _ in range(size):
            total += await task
        assert total == size


async def switch_one(rounds, size):
    for _ in range(rounds * size):
        await asyncio.sleep(0)


async def switch_hundred(rounds, size):
    async def turns(count):
        for _ in range(count):
            await asyncio.sleep(0)

    for _ in range(rounds):
        tasks = [asyncio.create_task(turns(size // 100)) for _ in range(100)]
        for task in tasks:
            await task


async def _queue(rounds, size, maxsize, pairs):
    async def produce(queue, first):
        for i in range(first, size, pairs):
            await queue.put(i)

    async def consume(queue):
        total = 0
        for _ in range(size // pairs):
            total += await queue.get()
        return total

    for _ in range(rounds):
        queue = asyncio.Queue(maxsize)
        producers = [asyncio.create_task(produce(queue, first)) for first in range(pairs)]
        consumers = [asyncio.create_task(consume(queue)) for _ in range(pairs)]
        for producer in producers:
            await producer
        total = 0
        for consumer in consumers:
            total += await consumer
        assert total == size * (size - 1) // 2


async def queue_unbounded(rounds, size):
    await _queue(rounds, size, 0, 1)


async def queue_bounded(rounds, size):
    await _queue(rounds, size, 10, 1)


async def queue_many(rounds, size):
    await _queue(rounds, size, 10, 10)


async def channel(rounds, size):
    await _queue(rounds, size, 10, 1)


async def queue_priority(rounds, size):
    for _ in range(rounds):
        queue = asyncio.PriorityQueue()
        for i in range(size):
            await queue.put(i * 7919 % size)
        for i in range(size):
            assert await queue.get() == i


async def jobs(rounds, size):
    async def work(queue):
        total = 0
        while not queue.empty():
            item = await queue.get()
            await asyncio.sleep(0)
            total += item
        return total

    for _ in range(rounds):
        queue = asyncio.Queue()
        for i in range(size):
            queue.put_nowait(i)
        assert sum(await asyncio.gather(*(work(queue) for _ in range(10)))) == size * (size - 1) // 2


async def _take(rounds, size, lock):
    for _ in range(rounds * size):
        await lock.acquire()
        lock.release()


async def lock_free(rounds, size):
    await _take(rounds, size, asyncio.Lock())


async def semaphore_free(rounds, size):
    await _take(rounds, size, asyncio.Semaphore(3))


async def _contend(rounds, size, lock):
    async def use():
        for _ in range(size // 10):
            await lock.acquire()
            await asyncio.sleep(0)
            lock.release()

    for _ in range(rounds):
        await asyncio.gather(*(use() for _ in range(10)))


async def lock_contended(rounds, size):
    await _contend(rounds, size, asyncio.Lock())


async def semaphore_contended(rounds, size):
    await _contend(rounds, size, asyncio.Semaphore(3))


async def lock_waiters(rounds, size):
    async def use(lock):
        await lock.acquire()
        lock.release()

    for _ in range(rounds):
        lock = asyncio.Lock()
        await lock.acquire()
        tasks = [asyncio.create_task(use(lock)) for _ in range(size)]
        await asyncio.sleep(0)
        lock.release()
        await asyncio.gather(*tasks)


async def event_broadcast(rounds, size):
    for _ in range(rounds):
        event = asyncio.Event()
        tasks = [asyncio.create_task(event.wait()) for _ in range(size)]
        await asyncio.sleep(0)
        event.set()
        assert len(await asyncio.gather(*tasks)) == size


async def condition(rounds, size):
    turn = 0

    async def play(condition, me):
        nonlocal turn
        await condition.acquire()
        for _ in range(size // 2):
            while turn != me:
                await condition.wait()
            turn = 1 - me
            condition.notify()
        condition.release()

    for _ in range(rounds):
        turn = 0
        shared = asyncio.Condition()
        await asyncio.gather(play(shared, 0), play(shared, 1))


async def barrier(rounds, size):
    async def meet(barrier):
        for _ in range(size // 10):
            await barrier.wait()

    for _ in range(rounds):
        shared = asyncio.Barrier(10)
        await asyncio.gather(*(meet(shared) for _ in range(10)))


async def wait_first(rounds, size):
    loop = asyncio.get_running_loop()
    for _ in range(rounds):
        futures = [loop.create_future() for _ in range(size)]
        loop.call_soon(futures[0].set_result, None)
        _, pending = await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
        for future in pending:
            future.cancel()
        assert len(pending) == size - 1


async def _first(one, other):
    tasks = [asyncio.create_task(one), asyncio.create_task(other)]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    return tasks[0] in done, done


async def race_two(rounds, size):
    never = asyncio.Event()
    for _ in range(rounds * size):
        await _first(asyncio.sleep(0), never.wait())


async def race_many(rounds, size):
    never = asyncio.Event()
    for _ in range(rounds):
        tasks = [asyncio.create_task(never.wait()) for _ in range(size - 1)]
        tasks.append(asyncio.create_task(asyncio.sleep(0, size)))
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        assert done.pop().result() == size


async def group_limit(rounds, size):
    for _ in range(rounds):
        semaphore = asyncio.Semaphore(10)
        done = []

        async def run():
            async with semaphore:
                await asyncio.sleep(0)
                done.append(None)

        async with asyncio.TaskGroup() as group:
            for _ in range(size):
                group.create_task(run())
        assert len(done) == size


async def select(rounds, size):
    stop = asyncio.Event()
    for _ in range(rounds):
        queue = asyncio.Queue()
        total = 0
        for i in range(size):
            queue.put_nowait(i)
            is_item, done = await _first(queue.get(), stop.wait())
            if is_item:
                total += done.pop().result()
        assert total == size * (size - 1) // 2


async def timeout_unfired(rounds, size):
    async def work():
        pass

    for _ in range(rounds * size):
        async with asyncio.timeout(60):
            await work()


async def cancel_task(rounds, size):
    for _ in range(rounds * size):
        task = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass


async def task_group(rounds, size):
    async def child():
        pass

    for _ in range(rounds):
        async with asyncio.TaskGroup() as group:
            for _ in range(size):
                group.create_task(child())


async def shield(rounds, size):
    async def child():
        pass

    for _ in range(rounds * size):
        await asyncio.shield(asyncio.create_task(child()))


async def context_get(rounds, size):
    variable = contextvars.ContextVar("variable")
    variable.set(1)
    for _ in range(rounds):
        total = 0
        for _ in range(size):
            total += variable.get()
        assert total == size


async def context_set(rounds, size):
    variable = contextvars.ContextVar("variable")
    for i in range(rounds * size):
        variable.reset(variable.set(i))


async def context_task(rounds, size):
    variable = contextvars.ContextVar("variable")
    variable.set(1)

    async def child():
        variable.set(variable.get() + 1)
        return variable.get()

    for _ in range(rounds):
        total = 0
        for _ in range(size):
            total += await asyncio.create_task(child())
        assert total == 2 * size


async def read_lines(rounds, size):
    chunk = (b"a" * 39 + b"\n") * (65536 // 40) + b"a" * (65536 % 40)
    reader = asyncio.StreamReader()
    for _ in range(rounds):
        reader.feed_data(chunk)
        for _ in range(size):
            assert len(await reader.readline()) == 40
        assert len(await reader.read(65536)) == 65536 - 40 * size


async def read_frames(rounds, size):
    chunk = b"a" * 65536
    reader = asyncio.StreamReader()
    for _ in range(rounds):
        reader.feed_data(chunk)
        for _ in range(size):
            assert len(await reader.readexactly(16)) == 16


async def gather(rounds, size):
    async def child(i):
        return i

    for _ in range(rounds):
        assert len(await asyncio.gather(*[child(i) for i in range(size)])) == size


async def timer(rounds, size):
    def callback():
        pass

    loop = asyncio.get_running_loop()
    for _ in range(rounds):
        for _ in range(size):
            loop.call_later(60, callback).cancel()
        await asyncio.sleep(0)


async def call_soon(rounds, size):
    loop = asyncio.get_running_loop()
    left = 0
    done = None

    def callback():
        nonlocal left
        left -= 1
        if left == 0:
            done.set_result(None)

    for _ in range(rounds):
        left = size
        done = loop.create_future()
        for _ in range(size):
            loop.call_soon(callback)
        await done


async def _start():
    process = await asyncio.create_subprocess_exec("true")
    await process.wait()


async def start_process(rounds, size):
    for _ in range(rounds * size):
        await _start()


async def start_fifty(rounds, size):
    for _ in range(rounds * size // 50):
        await asyncio.gather(*(_start() for _ in range(50)))


async def process_pipe(rounds, size):
    for _ in range(rounds):
        process = await asyncio.create_subprocess_exec(
            "head", "-c", str(size * 1_000_000), "/dev/zero", stdout=asyncio.subprocess.PIPE
        )
        total = 0
        while data := await process.stdout.read(1_000_000):
            total += len(data)
        await process.wait()
        assert total == size * 1_000_000


async def process_lines(rounds, size):
    for _ in range(rounds):
        process = await asyncio.create_subprocess_exec("seq", str(size), stdout=asyncio.subprocess.PIPE)
        total = 0
        async for line in process.stdout:
            total += 1
        await process.wait()
        assert total == size


async def thread_call(rounds, size):
    def identity(n):
        return n

    for i in range(rounds * size):
        assert await asyncio.to_thread(identity, i) == i


async def thread_ten(rounds, size):
    def identity(n):
        return n

    for i in range(0, rounds * size, 10):
        results = await asyncio.gather(*(asyncio.to_thread(identity, i) for _ in range(10)))
        assert results == [i] * 10


TIMED = {
    name: work
    for name, work in list(globals().items())
    if inspect.iscoroutinefunction(work) and not name.startswith("_")
}
