"""Runs one row on asyncio's or uvloop's loop and prints one JSON line, as `../worker.ts` does for JavaScript.

worker.py ROW asyncio|uvloop SIZE SAMPLE_MS SAMPLES WARM_UP_MS
"""

import asyncio
import json
import math
import re
import statistics
import sys
import time

from measured import MEASURED
from rows import TIMED


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
    return {"ops": ops, "value": statistics.median(timed(rounds) / ops for _ in range(samples))}


def main():
    row, peer = sys.argv[1:3]
    size, sample_ms, samples, warm_up_ms = map(int, sys.argv[3:7])
    loop = new_loop(peer)
    asyncio.set_event_loop(loop)
    name = re.sub(r"_\d+$", "", row)  # gather_10000 is gather with another size
    if name in TIMED:
        metrics = {"": sample(loop, TIMED[name], size, sample_ms, samples, warm_up_ms)}
    else:
        values = loop.run_until_complete(MEASURED[name](size))
        metrics = {key: {"ops": size, "value": value} for key, value in values.items()}
    print(json.dumps({"metrics": metrics}))


main()
