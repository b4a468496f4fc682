"""Runs random programs on CPython's asyncio, in virtual time.

    python3.13 reference.py < programs.json > traces.json

A trace is null if the program does what the two decide differently on purpose.
The other differences that docs/from-python.md names are told here in asyncio's
own terms: see "As this library has it".
"""
import asyncio
import contextlib
import itertools
import json
import logging
import sys
import warnings

END = 200
CLEAN_UPS = 30


class Boom(Exception):
    pass


class VirtualSelector:
    """Moves the clock on where a real one would wait."""

    def __init__(self, loop, selector):
        self.loop = loop
        self.selector = selector

    def select(self, timeout):
        if timeout is None:
            raise RuntimeError("deadlock")
        if timeout > 0:
            self.loop.now = round(self.loop.now + timeout, 9)
        return self.selector.select(0)

    def __getattr__(self, name):
        return getattr(self.selector, name)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        super().__init__()
        self.now = 0
        self._selector = VirtualSelector(self, self._selector)
        self._clock_resolution = 1e-9

    def time(self):
        return self.now


# -- As this library has it ---------------------------------------------------


class FairTimer(asyncio.TimerHandle):
    """Timers of one instant come in the order in which they were set."""

    numbers = itertools.count()
    __slots__ = ("number",)

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.number = next(FairTimer.numbers)

    def __lt__(self, other):
        return (self._when, self.number) < (other._when, other.number)


class OrderedTasks(dict):
    """A group cancels its tasks in the order in which they were made."""

    def add(self, task):
        self[task] = None

    def discard(self, task):
        self.pop(task, None)


class Group(asyncio.TaskGroup):
    def __init__(self, machine):
        super().__init__()
        self._tasks = OrderedTasks()
        self.machine = machine
        self.requests = asyncio.current_task().cancelling()

    async def __aexit__(self, *error):
        try:
            return await super().__aexit__(*error)
        except BaseExceptionGroup:
            # A cancellation that was swallowed before the group comes again.
            if self.requests > 0:
                self.machine.differs = True
            raise


class Gathering(asyncio.Future):
    """A gathering that was cancelled waits for all of its tasks."""

    def __init__(self, coroutines, return_exceptions):
        super().__init__()
        self.children = [asyncio.create_task(each) for each in coroutines]
        self.return_exceptions = return_exceptions
        self.left = len(self.children)
        self.is_asked = False
        for child in self.children:
            child.add_done_callback(self.child_done)

    def cancel(self, msg=None):
        if self.done():
            return False
        reached = [child.cancel() for child in self.children]
        if any(reached):
            self.is_asked = True
        elif all(child.done() for child in self.children):
            # Its waiter has the cancellation now, and not in a step or two.
            self.set_exception(asyncio.CancelledError())
            return True
        return any(reached)

    def child_done(self, child):
        self.left -= 1
        if self.done():
            return
        error = (
            asyncio.CancelledError() if child.cancelled() else child.exception()
        )
        is_cancelled_along = self.is_asked and child.cancelled()
        if error and not self.return_exceptions and not is_cancelled_along:
            self.set_exception(error)
        elif self.left == 0 and self.is_asked:
            self.set_exception(asyncio.CancelledError())
        elif self.left == 0:
            self.set_result(self.children)


class WatchedQueue(asyncio.Queue):
    """Notices what here cannot be: that one who was woken finds nothing."""

    def __init__(self, maxsize=0):
        super().__init__(maxsize)
        self.woken = set()
        self.was_overtaken = False

    def _wakeup_next(self, waiters):
        for waiter in waiters:
            if not waiter.done():
                self.woken.add(waiter)
                waiter.add_done_callback(self.woken.discard)
                break
        super()._wakeup_next(waiters)

    async def get(self):
        with self.watched(not self.empty()):
            return await super().get()

    async def put(self, item):
        with self.watched(not self.full()):
            await super().put(item)

    @contextlib.contextmanager
    def watched(self, is_ready):
        if self.woken and is_ready:
            self.was_overtaken = True
        try:
            yield
        except asyncio.CancelledError:
            # One that was woken: the next one hears of it a turn later than here.
            if self.woken:
                self.was_overtaken = True
            raise


# -- The machine --------------------------------------------------------------


class Machine:
    def __init__(self, loop):
        self.loop = loop
        self.lines = []
        self.events = [asyncio.Event(), asyncio.Event()]
        self.queues = [WatchedQueue(), WatchedQueue(1)]
        self.locks = [asyncio.Lock(), asyncio.Lock()]
        self.semaphores = [asyncio.Semaphore(1), asyncio.Semaphore(1)]
        self.futures = [loop.create_future(), loop.create_future()]
        self.condition = asyncio.Condition()
        self.tasks = []
        self.spawned = []
        self.differs = False

    async def run(self, program):
        for index, block in enumerate(program):
            self.tasks.append(asyncio.create_task(self.task(str(index), block)))
        await asyncio.sleep(END)
        self.lines.append("--")
        for _ in range(CLEAN_UPS):
            alive = [t for t in self.tasks + self.spawned if not t.done()]
            if not alive:
                break
            for task in alive:
                task.cancel()
            await asyncio.sleep(10)
        for index, task in enumerate(self.tasks):
            self.lines.append(f"task {index} {state_of(task)}")
            if not task.done():
                self.differs = True
        self.lines.append(
            f"queues {joined(queue.qsize() for queue in self.queues)}"
            f" locks {joined(shown(lock.locked()) for lock in self.locks)}"
            f" semaphores {joined(shown(s.locked()) for s in self.semaphores)}"
        )
        if any(queue.was_overtaken for queue in self.queues):
            self.differs = True

    async def task(self, me, block):
        await self.block(me, block)
        self.lines.append(f"{me} end")
        return "r"

    async def block(self, me, block):
        for operation in block:
            await self.operation(me, operation)

    async def operation(self, me, operation):
        name = operation["name"]
        try:
            value = await self.helped(me, operation, operation["helpers"])
            if isinstance(value, bool):
                value = shown(value)
            self.note(me, f"{name} {'-' if value is None else value}")
        except RecursionError:
            self.differs = True  # two tasks that await each other
            raise
        except BaseException as error:
            # Here it wakes another waiter, to no purpose.
            if name == "waitForCondition":
                self.differs = True
            self.note(me, f"{name} !{name_of(error)}")
            raise

    async def helped(self, me, operation, helpers):
        if helpers > 0:
            return await self.helped(me, operation, helpers - 1)
        await self.check_first(operation)
        return await getattr(self, operation["name"])(me, operation)

    async def check_first(self, operation):
        """What need not wait throws a remembered cancellation as well."""
        name, which = operation["name"], operation["which"]
        if name == "awaitFuture":
            applies = self.futures[which % 2].done()
        elif name == "awaitTask":
            applies = self.chosen(which).done()
        else:
            applies = name in (
                "get", "put", "waitForEvent", "lock", "semaphore",
                "waitForCondition", "notify",
            )
        if applies and asyncio.current_task()._must_cancel:
            await asyncio.sleep(0)

    def note(self, me, what):
        requests = asyncio.current_task().cancelling()
        # Tasks that await each other cancel each other until the stack ends.
        if requests > 100:
            self.differs = True
        self.lines.append(f"{me} {what} c{requests}")

    def chosen(self, which):
        return self.tasks[which % len(self.tasks)]

    def cancel_noting(self, me, which):
        def callback():
            reached = shown(self.chosen(which).cancel())
            self.lines.append(f"callback of {me} {reached}")

        return callback

    def start(self, me, block):
        task = asyncio.create_task(self.task(me, block))
        self.spawned.append(task)
        return task

    async def sleepZero(self, me, operation):
        await asyncio.sleep(0)

    async def sleep(self, me, operation):
        await asyncio.sleep(operation["delay"])

    async def waitForEvent(self, me, operation):
        await self.events[operation["which"] % 2].wait()

    async def setEvent(self, me, operation):
        self.events[operation["which"] % 2].set()

    async def clearEvent(self, me, operation):
        self.events[operation["which"] % 2].clear()

    async def get(self, me, operation):
        return await self.queues[operation["which"] % 2].get()

    async def put(self, me, operation):
        await self.queues[operation["which"] % 2].put(me)

    async def cancel(self, me, operation):
        return self.chosen(operation["which"]).cancel()

    async def awaitFuture(self, me, operation):
        return await self.futures[operation["which"] % 2]

    async def setFuture(self, me, operation):
        future = self.futures[operation["which"] % 2]
        if not future.done():
            future.set_result(operation["which"])

    async def awaitTask(self, me, operation):
        task = self.chosen(operation["which"])
        return "itself" if task is asyncio.current_task() else await task

    async def cancelSoon(self, me, operation):
        self.loop.call_soon(self.cancel_noting(me, operation["which"]))

    async def setEventSoon(self, me, operation):
        self.loop.call_soon(self.events[operation["which"] % 2].set)

    async def cancelLater(self, me, operation):
        callback = self.cancel_noting(me, operation["which"])
        self.loop.call_later(operation["delay"], callback)

    async def fail(self, me, operation):
        raise Boom()

    async def addDoneCallback(self, me, operation):
        index = operation["which"] % len(self.tasks)
        self.tasks[index].add_done_callback(
            lambda _: self.lines.append(f"{index} done, for {me}")
        )

    async def notify(self, me, operation):
        async with self.condition:
            self.condition.notify()

    async def waitForCondition(self, me, operation):
        async with self.condition:
            await self.condition.wait()

    async def timed(self, me, block, timeout, reschedule=None):
        was_cancelled = asyncio.current_task()._must_cancel
        try:
            async with asyncio.timeout(timeout) as handle:
                if reschedule is not None:
                    handle.reschedule(self.loop.time() + reschedule)
                await self.block(me, block)
        except TimeoutError as error:
            # A cancellation that was remembered outlives the timeout.
            if was_cancelled and handle.expired():
                raise asyncio.CancelledError() from error
            raise

    async def timeout(self, me, operation):
        await self.timed(me, operation["blocks"][0], operation["delay"])

    async def timeoutZero(self, me, operation):
        await self.timed(me, operation["blocks"][0], 0)

    async def reschedule(self, me, operation):
        await self.timed(me, operation["blocks"][0], 9, operation["delay"] - 2)

    async def group(self, me, operation):
        *blocks, body = operation["blocks"]
        async with Group(self) as group:
            for index, block in enumerate(blocks):
                group.create_task(self.task(f"{me}.{index}", block))
            await self.block(me, body)

    async def gather(self, me, operation, return_exceptions=False):
        coroutines = [
            self.task(f"{me}.{index}", block)
            for index, block in enumerate(operation["blocks"])
        ]
        return len(await Gathering(coroutines, return_exceptions))

    async def gatherAll(self, me, operation):
        return await self.gather(me, operation, return_exceptions=True)

    async def waitForFirst(self, me, operation):
        tasks = [
            self.start(f"{me}.{index}", block)
            for index, block in enumerate(operation["blocks"])
        ]
        done, _ = await asyncio.wait(
            tasks, return_when=asyncio.FIRST_COMPLETED
        )
        return len(done)

    async def swallow(self, me, operation):
        try:
            await self.block(me, operation["blocks"][0])
        except BaseException as error:
            self.lines.append(f"{me} swallowed {name_of(error)}")

    async def uncancel(self, me, operation):
        try:
            await self.block(me, operation["blocks"][0])
        except asyncio.CancelledError:
            asyncio.current_task().uncancel()

    async def finally_(self, me, operation):
        block, clean_up = operation["blocks"]
        try:
            await self.block(me, block)
        finally:
            await self.block(me, clean_up)

    async def lock(self, me, operation):
        async with self.locks[operation["which"] % 2]:
            await self.block(me, operation["blocks"][0])

    async def semaphore(self, me, operation):
        async with self.semaphores[operation["which"] % 2]:
            await self.block(me, operation["blocks"][0])

    async def shield(self, me, operation):
        task = self.start(f"{me}.shielded", operation["blocks"][0])
        await asyncio.shield(task)

    async def spawn(self, me, operation):
        self.start(f"{me}.spawned", operation["blocks"][0])


setattr(Machine, "finally", Machine.finally_)


def shown(value):
    return "true" if value else "false"


def joined(values):
    return ",".join(str(value) for value in values)


def state_of(task):
    if not task.done():
        return "pending"
    if task.cancelled():
        return "cancelled"
    error = task.exception()
    return "finished" if error is None else f"failed {name_of(error)}"


def name_of(error):
    if isinstance(error, BaseExceptionGroup):
        return f"Group({joined(name_of(each) for each in error.exceptions)})"
    return type(error).__name__


def trace(program):
    loop = VirtualLoop()
    loop.set_exception_handler(lambda loop, context: None)
    machine = None

    async def main():
        nonlocal machine
        machine = Machine(loop)
        await machine.run(program)

    try:
        loop.run_until_complete(main())
    except (RuntimeError, RecursionError):
        return None
    lines = None if machine.differs else list(machine.lines)
    # What still waits would wait for ever.
    loop._ready.clear()
    loop._scheduled.clear()
    return lines


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    sys.unraisablehook = lambda unraisable: None
    asyncio.events.TimerHandle = FairTimer
    json.dump(
        {
            "version": sys.version.split()[0],
            "traces": [trace(each) for each in json.load(sys.stdin)],
        },
        sys.stdout,
    )
