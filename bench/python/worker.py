"""Runs one row on asyncio's or uvloop's loop, or on a library on asyncio, and prints one JSON line, as `../worker.ts` does for JavaScript.

worker.py ROW asyncio|uvloop|GUEST SIZE SAMPLE_MS SAMPLES WARM_UP_MS
"""

import asyncio
import json
import math
import re
import statistics
import sys
import time

from guests import GUESTS
from measured import MEASURED, WARM_UP
from rows import TIMED
from sockets import SOCKETS


# asyncio.Task(eager_start=True) is of 3.12; Barrier, TaskGroup and timeout() are of 3.11.
NEEDS = {"start_eager": (3, 12)}


def new_loop(peer):
    if peer == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    return asyncio.new_event_loop()


def sample(loop, work, size, sample_ms, samples, warm_up_ms):
    """Grow the rounds until a sample is long enough, warm up, then take samples: `../measure.ts` in Python."""

    def timed(rounds):
        start = time.perf_counter_ns()
        loop.run_until_complete(work(rounds, size))
        return time.perf_counter_ns() - start

    rounds, warm = 1, 0
    while True:
        ns = timed(rounds)
        warm += ns
        if ns >= sample_ms * 0.8e6:
            if warm >= warm_up_ms * 1e6:
                break
            continue
        wanted = math.ceil(rounds * sample_ms * 1e6 / max(ns, 1000))
        rounds = min(rounds * 10, max(rounds + 1, wanted))
    ops = rounds * size
    taken = 1 if ns > sample_ms * 1e6 * samples else samples
    return {"ops": ops, "value": statistics.median(timed(rounds) / ops for _ in range(taken))}


def repeat(loop, measure, size):
    """Warm up, then measure: once where there are many items, else the median of several times."""
    warm_up = min(size, WARM_UP)
    for _ in range(math.ceil(50_000 / warm_up)):
        loop.run_until_complete(measure(warm_up))
    times = min(25, max(1, 100_000 // size))
    runs = [loop.run_until_complete(measure(size)) for _ in range(times)]
    return {key: {"ops": size * times, "value": statistics.median(run[key] for run in runs)} for key in runs[0]}


def main():
    row, peer = sys.argv[1:3]
    size, sample_ms, samples, warm_up_ms = map(int, sys.argv[3:7])
    needed = NEEDS.get(row, (3, 11))
    if sys.version_info < needed:
        print(json.dumps({"metrics": {}, "skipped": f"needs Python {needed[0]}.{needed[1]}"}))
        return
    loop = new_loop(peer)
    asyncio.set_event_loop(loop)
    name = re.sub(r"_\d+$", "", row)  # gather_10000 is gather with another size
    timed = GUESTS[peer]()[name] if peer in GUESTS else SOCKETS.get(row) or TIMED.get(name)
    if timed is not None:
        metrics = {"": sample(loop, timed, size, sample_ms, samples, warm_up_ms)}
    else:
        metrics = repeat(loop, MEASURED[name], size)
    print(json.dumps({"metrics": metrics}))


main()
