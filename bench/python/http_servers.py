"""The servers of the HTTP rows, as in `../rows/http.ts`, and `wrk`, which asks them, as in `../wrk.ts`."""

import asyncio
import re

REQUESTS_A_SECOND = 75_000
TEXT = b"Hello, world!"
HEAD_END = b"\r\n\r\n"
RESPONSE = b"\r\n".join(
    [
        b"HTTP/1.1 200 OK",
        b"content-type: text/plain;charset=UTF-8",
        b"content-length: %d" % len(TEXT),
        b"date: Sun, 29 Nov 2026 12:00:00 GMT",
        b"",
        TEXT,
    ]
)

port = None


async def asked(serve, size):
    global port
    if port is None:
        port = await serve()
    seconds = max(1, round(size / REQUESTS_A_SECOND))
    command = ["wrk", "--threads=1", "--connections=100", f"--duration={seconds}s", f"http://127.0.0.1:{port}/"]
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    printed = (await child.communicate())[0].decode()
    per_second = re.search(r"^Requests/sec: +([\d.]+)", printed, re.MULTILINE)
    assert per_second and not re.search("Socket errors|Non-2xx", printed), printed
    return {"request": 1e9 / float(per_second[1])}


async def serve_streams():
    async def answer(reader, writer):
        try:
            while True:
                await reader.readuntil(HEAD_END)
                writer.write(RESPONSE)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionResetError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    return server.sockets[0].getsockname()[1]


class Responder(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.end = b""

    def data_received(self, data):
        tail = self.end + data
        if tail.endswith(HEAD_END):
            self.end = b""
            self.transport.write(RESPONSE)
        else:
            self.end = tail[-len(HEAD_END) + 1 :]


async def serve_protocol():
    server = await asyncio.get_running_loop().create_server(Responder, "127.0.0.1", 0)
    return server.sockets[0].getsockname()[1]


async def http_streams(size):
    return await asked(serve_streams, size)


async def http_protocol(size):
    return await asked(serve_protocol, size)
