"""The rows of libraries that stand on asyncio: anyio and aiostream, in their own idioms."""


def anyio_rows():
    import anyio

    async def first(*functions):
        """The first that ends ends the group: trio's and anyio's way to race."""
        ends = []

        async with anyio.create_task_group() as group:

            async def run(index, function):
                ends.append((index, await function()))
                group.cancel_scope.cancel()

            for index, function in enumerate(functions):
                group.start_soon(run, index, function)
        return ends[0]

    async def race_two(rounds, size):
        for _ in range(rounds * size):
            index, _end = await first(anyio.lowlevel.checkpoint, anyio.sleep_forever)
            assert index == 0

    async def select(rounds, size):
        for _ in range(rounds):
            send, receive = anyio.create_memory_object_stream(size)
            total = 0
            for i in range(size):
                send.send_nowait(i)
                _index, item = await first(receive.receive, anyio.sleep_forever)
                total += item
            assert total == size * (size - 1) // 2

    async def race_many(rounds, size):
        for _ in range(rounds):
            losers = [anyio.sleep_forever] * (size - 1)
            index, _end = await first(*losers, anyio.lowlevel.checkpoint)
            assert index == size - 1

    async def group_limit(rounds, size):
        for _ in range(rounds):
            limiter = anyio.CapacityLimiter(10)
            done = []

            async def run():
                async with limiter:
                    await anyio.lowlevel.checkpoint()
                    done.append(None)

            async with anyio.create_task_group() as group:
                for _ in range(size):
                    group.start_soon(run)
            assert len(done) == size

    async def channel(rounds, size):
        for _ in range(rounds):
            send, receive = anyio.create_memory_object_stream(10)

            async def produce():
                for i in range(size):
                    await send.send(i)

            async with anyio.create_task_group() as group:
                group.start_soon(produce)
                total = 0
                for _ in range(size):
                    total += await receive.receive()
            assert total == size * (size - 1) // 2

    return {
        "race_two": race_two,
        "select": select,
        "race_many": race_many,
        "group_limit": group_limit,
        "channel": channel,
    }


def aiostream_rows():
    from aiostream import stream

    async def next_number(number):
        return number + 1

    async def pooled_map(rounds, size):
        for _ in range(rounds):
            results = stream.map(stream.range(size), next_number, ordered=True, task_limit=10)
            total = 0
            async with results.stream() as items:
                async for result in items:
                    total += result
            assert total == size * (size + 1) // 2

    return {"pooled_map": pooled_map, "pooled_map_iterable": pooled_map}


GUESTS = {"anyio": anyio_rows, "aiostream": aiostream_rows}
