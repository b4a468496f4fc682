"""The work of the rows, on asyncio's API: the same statements as `../rows/*.ts`, run on asyncio's loop and on uvloop's.

Each takes the number of rounds and the operations in one, and is over when all it started is.
"""

import asyncio


async def start_task(rounds, size):
    async def child():
        pass

    for _ in range(rounds * size):
        await asyncio.create_task(child())


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


async def _queue(rounds, size, maxsize):
    async def produce(queue):
        for i in range(size):
            await queue.put(i)

    async def consume(queue):
        total = 0
        for _ in range(size):
            total += await queue.get()
        return total

    for _ in range(rounds):
        queue = asyncio.Queue(maxsize)
        producer = asyncio.create_task(produce(queue))
        consumer = asyncio.create_task(consume(queue))
        await producer
        assert await consumer == size * (size - 1) // 2


async def queue_unbounded(rounds, size):
    await _queue(rounds, size, 0)


async def queue_bounded(rounds, size):
    await _queue(rounds, size, 10)


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


TIMED = {
    work.__name__: work
    for work in (start_task, switch_one, switch_hundred, queue_unbounded, queue_bounded, read_lines, read_frames, gather, timer, call_soon, start_process, start_fifty, process_pipe, process_lines)
}
