"""The servers of the rows about sockets, as in `../rows/echo.ts` and its neighbours; the clients are the same, see `../load.ts`."""

import asyncio
import functools
import os
import ssl
import subprocess
import time

from resident import resident_bytes

LARGEST_READ = 65536
LARGE = 1 << 20
PIECES, PIECE, QUESTION = 50, b"b" * 20, 64


class Clients:
    def __init__(self, port, connections, send, receive, load="BENCH_LOAD"):
        command = [os.environ.get("BENCH_DENO", "deno"), "run", "--quiet", "--no-check", "--allow-all"]
        command += [os.environ[load], *map(str, (port, connections, send, receive))]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    async def answer(self):
        loop = asyncio.get_running_loop()
        assert await loop.run_in_executor(None, self._child.stdout.readline) == b"done\n"

    async def do(self, name, count):
        self._child.stdin.write(f"{name} {count}\n".encode())
        self._child.stdin.flush()
        await self.answer()


clients = None


async def exchange(serve, connections, send, receive, rounds, size):
    global clients
    if clients is None:
        clients = Clients(await serve(), connections, send, receive)
        await clients.answer()
    await clients.do("exchange", rounds * size)


async def serve_handler(handler, context=None):
    server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=context)
    return server.sockets[0].getsockname()[1]


async def serve_streams(context=None):
    async def echo(reader, writer):
        while data := await reader.read(LARGEST_READ):
            writer.write(data)
            await writer.drain()
        writer.close()

    return await serve_handler(echo, context)


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


async def serve_protocol():
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    return server.sockets[0].getsockname()[1]


class BufferedEcho(asyncio.BufferedProtocol):
    def __init__(self):
        self.buffer = bytearray(LARGEST_READ)

    def connection_made(self, transport):
        self.transport = transport
        transport.set_write_buffer_limits(high=0)

    def get_buffer(self, size_hint):
        return self.buffer

    def buffer_updated(self, count):
        self.transport.write(memoryview(self.buffer)[:count])

    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()


async def serve_buffered():
    server = await asyncio.get_running_loop().create_server(BufferedEcho, "127.0.0.1", 0)
    return server.sockets[0].getsockname()[1]


async def serve_large():
    async def answer(reader, writer):
        while len(await reader.readexactly(LARGE)) == LARGE:
            writer.write(b"1")

    return await serve_handler(answer)


async def serve_small_writes():
    async def answer(reader, writer):
        while await reader.readexactly(QUESTION):
            for _ in range(PIECES):
                writer.write(PIECE)
            await writer.drain()

    return await serve_handler(answer)


async def reading(size_of_piece, read_one, rounds, size):
    global clients
    state = reading.__dict__
    if clients is None:

        async def read(reader, writer):
            while True:
                assert len(await read_one(reader)) == size_of_piece
                state["left"] -= 1
                if state["left"] == 0:
                    state["done"].set_result(None)

        clients = Clients(await serve_handler(read), 1, size_of_piece, 0)
        await clients.answer()
    state["left"] = rounds * size
    state["done"] = asyncio.get_running_loop().create_future()
    await clients.do("stream", rounds * size)
    await state["done"]


pinged = None
PINGERS, MEGABYTES = 100, 20


async def ping_beside_bulk(size):
    global pinged
    if pinged is None:
        port = await serve_streams()
        pinged = Clients(port, 1, 1 << 20, 1 << 20), Clients(port, PINGERS, 64, 64)
        for clients in pinged:
            await clients.answer()
    bulk, pings = pinged
    are_back = False

    async def send():
        while not are_back:
            await bulk.do("exchange", MEGABYTES)

    sending = asyncio.create_task(send())
    start = time.perf_counter_ns()
    await pings.do("exchange", size)
    each = (time.perf_counter_ns() - start) / size
    are_back = True
    await sending
    return {"round trip": each * PINGERS}


over_tls = None
MESSAGES_A_CONNECTION = 500


async def computing(work, count):
    before = time.process_time_ns()
    await work
    return (time.process_time_ns() - before) / count


async def tls(size):
    global over_tls
    if over_tls is None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        folder = os.environ["BENCH_TLS"]
        context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
        over_tls = Clients(await serve_streams(context), 50, 64, 64, "BENCH_LOAD_TLS")
        await over_tls.answer()
    connections = size // MESSAGES_A_CONNECTION
    return {
        "message": await computing(over_tls.do("exchange", size), size),
        "connection": await computing(over_tls.do("connect", connections), connections),
    }


measured = None


async def idle(size):
    """Once: a second time it would reuse what the first one has left."""
    global measured
    if measured is None:
        measured = await measure_idle(size)
    return measured


async def measure_idle(size):
    port = await serve_streams()
    one = Clients(port, 10, 64, 64)
    await one.answer()
    await one.do("exchange", 1000)
    before = resident_bytes()
    many = Clients(port, size, 64, 64)
    await many.answer()
    await many.do("exchange", size)
    return {"memory": (resident_bytes() - before) / size}


def _echo(serve, bytes_each, connections):
    return functools.partial(exchange, serve, connections, bytes_each, bytes_each)


SOCKETS = {
    "echo_64": _echo(serve_streams, 64, 50),
    "echo_4k": _echo(serve_streams, 4096, 50),
    "echo_1m": _echo(serve_streams, 1 << 20, 1),
    "echo_protocol_64": _echo(serve_protocol, 64, 50),
    "echo_protocol_4k": _echo(serve_protocol, 4096, 50),
    "echo_protocol_1m": _echo(serve_protocol, 1 << 20, 1),
    "echo_buffered_64": _echo(serve_buffered, 64, 50),
    "echo_buffered_4k": _echo(serve_buffered, 4096, 50),
    "echo_buffered_1m": _echo(serve_buffered, 1 << 20, 1),
    "exactly_1m": functools.partial(exchange, serve_large, 1, LARGE, 1),
    "small_writes": functools.partial(exchange, serve_small_writes, 10, QUESTION, PIECES * len(PIECE)),
    "socket_lines": functools.partial(reading, 40, lambda reader: reader.readline()),
    "socket_frames": functools.partial(reading, 16, lambda reader: reader.readexactly(16)),
}
