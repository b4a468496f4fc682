"""The rows that take their own measurements, once a process."""

import asyncio
import time

from http_servers import http_protocol, http_streams
from resident import resident_bytes
from sockets import idle, ping_beside_bulk, tls


# Items of the warm-up at a time at most, see worker.py.
WARM_UP = 10_000


async def sleeping(size):
    before = resident_bytes()
    start = time.perf_counter_ns()
    tasks = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(size)]
    await asyncio.sleep(0)
    started = (time.perf_counter_ns() - start) / size
    memory = (resident_bytes() - before) / size
    start = time.perf_counter_ns()
    for task in tasks:
        task.cancel()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    cancel = (time.perf_counter_ns() - start) / size
    assert all(isinstance(end, asyncio.CancelledError) for end in ends)
    costs = {"start": started, "cancel": cancel}
    # Fewer fit into what the warm-up has left, and the process does not grow.
    return {**costs, "memory": memory} if size > WARM_UP else costs


async def timers(size):
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    fired = 0

    def callback():
        nonlocal fired
        fired += 1
        if fired == size:
            done.set_result(None)

    first = loop.time() + (20 + size / 250) / 1000
    times = [first + i * 7919 % 1000 / 100_000 for i in range(size)]
    start = time.perf_counter_ns()
    for when in times:
        loop.call_at(when, callback)
    schedule = (time.perf_counter_ns() - start) / size
    while loop.time() < first + 0.01:
        pass
    start = time.perf_counter_ns()
    await done
    fire = (time.perf_counter_ns() - start) / size
    assert fired == size
    handles = [loop.call_at(when + 3600, callback) for when in times]
    start = time.perf_counter_ns()
    for handle in handles:
        handle.cancel()
    cancel = (time.perf_counter_ns() - start) / size
    return {"schedule": schedule, "fire": fire, "cancel": cancel}


MEASURED = {
    "http_protocol": http_protocol,
    "http_streams": http_streams,
    "idle": idle,
    "ping_beside_bulk": ping_beside_bulk,
    "sleeping": sleeping,
    "timers": timers,
    "tls": tls,
}
