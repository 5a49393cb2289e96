"""The context server beside a bare Starlette echo in one run, its fan-out, and how fast an update reaches 200 clients.

Run it with ``python tests/bench/server.py [--seconds N] [--clients N] [--cores N]``. Both servers run alone in a
process of their own with the same uvicorn settings, on one core, or as many as are given: threads of one Python that
run at once wait for each other. What they take is their own CPU time, so that neighbours on the machine count less.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median, quantiles
from typing import Any

import bare_writes
import websockets
from figures import Table

CONNECTIONS = 32
PROJECTS = 8
FRAME = 310
"""Bytes of an update as the server sends it below."""
TASK = {"title": "mend the parser", "steps": [f"step {n}: look at module {n * 7}" for n in range(12)]}
CONTEXT = {
    "currentTask": TASK,
    "projectStructure": {f"module_{n}": f"src/package/module_{n}.py" for n in range(20)},
    "notes": "what was decided and why, in a few words. " * 10,
}


def serve(kind: str, port: int, cores: int) -> None:
    """Run one server in this process, on so many cores."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-cores:])
    import sharedctx
    from sharedctx_server.running import Server
    from sharedctx_server.settings import ServerSettings

    settings = ServerSettings(port=port)
    if kind == "bare":
        bare_writes.serve(port)
        return
    if kind == "echo":
        from starlette.applications import Starlette
        from starlette.requests import Request
        from starlette.responses import Response
        from starlette.routing import Route

        body = json.dumps(CONTEXT).encode()

        async def read(request: Request) -> Response:
            return Response(body, media_type="application/json")

        async def echo(request: Request) -> Response:
            return Response(await request.body(), media_type="application/json")

        import uvicorn

        echoing = Starlette(routes=[Route("/echo", read, methods=["GET"]), Route("/echo", echo, methods=["POST"])])
        options = {"log_level": "warning", "access_log": False, "server_header": False, "backlog": 4096}
        uvicorn.run(echoing, host="127.0.0.1", port=port, timeout_keep_alive=30, **options)
        return
    from sharedctx_server import app

    with tempfile.TemporaryDirectory() as folder, sharedctx.open(folder) as store:
        Server(app(store, settings), settings).run()


@contextmanager
def started(kind: str, cores: int) -> Iterator[tuple[int, int]]:
    """A server in a process of its own: its port and process id."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, __file__, "--serve", kind, "--port", str(port), "--cores", str(cores)])
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None:
                    raise
                os.sched_yield()
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def cpu(pid: int) -> float:
    """The CPU seconds that a process took until now."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def request(method: str, path: str, body: Any = None) -> bytes:
    """The bytes of a request."""
    data = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(data)}\r\n\r\n".encode() + data


class Caller(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, requests: list[bytes], done: list[int]) -> None:
        self._requests = requests
        self._done = done
        self._at = 0
        self._buffer = b""
        self._stopped = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._transport.write(self._requests[self._at % len(self._requests)])
        self._at += 1

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(rest) < length:
            return
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        self._buffer = b""
        self._done[0] += 1
        if not self._stopped:
            self._ask()

    def stop(self) -> None:
        """Ask no more."""
        self._stopped = True


async def load(port: int, pid: int, requests: list[list[bytes]], seconds: float) -> tuple[float, float]:
    """Requests a second, and a CPU second of the server."""
    loop = asyncio.get_running_loop()
    done = [0]
    callers = [
        await loop.create_connection(lambda n=n: Caller(requests[n % len(requests)], done), "127.0.0.1", port)
        for n in range(CONNECTIONS)
    ]
    await asyncio.sleep(seconds / 4)
    begun, first, used = time.perf_counter(), done[0], cpu(pid)
    await asyncio.sleep(seconds)
    took, busy, count = time.perf_counter() - begun, cpu(pid) - used, done[0] - first
    for transport, caller in callers:
        caller.stop()
        transport.close()
    return count / took, count / busy


def ask(port: int, raw: bytes) -> None:
    """Send one request and wait for its reply."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(raw)
        connection.recv(1 << 20)


def requests_per_second(seconds: float, cores: int, table: Table) -> None:
    """GET and POST diff of the server beside the echo's."""
    change = {"modified": {"currentTask": {**TASK, "turn": 12345}}}
    rounds: dict[str, list[tuple[float, float]]] = {}
    with started("echo", cores) as echo, started("server", cores) as server:
        for n in range(PROJECTS):
            ask(server[0], request("PUT", f"/context/p{n}", {"context": CONTEXT}))
        posts = [
            [
                request("POST", f"/context/p{n}/diff", {"modified": {"currentTask": {**TASK, "turn": turn}}})
                for turn in range(64)
            ]
            for n in range(PROJECTS)
        ]
        runs = {
            "echo GET": (echo, [[request("GET", "/echo")]]),
            "GET": (server, [[request("GET", f"/context/p{n}")] for n in range(PROJECTS)]),
            "echo POST": (echo, [[request("POST", "/echo", change)]]),
            "POST diff": (server, posts),
            "POST diff, one project": (server, posts[:1]),
        }
        for _ in range(3):
            for name, (where, what) in runs.items():
                rounds.setdefault(name, []).append(asyncio.run(load(*where, what, seconds)))
    beside = {"GET": "echo GET", "POST diff": "echo POST", "POST diff, one project": "echo POST"}
    for name, found in rounds.items():
        rate, core = median(each[0] for each in found), median(each[1] for each in found)
        against = ""
        if name in beside:
            echoed = rounds[beside[name]]
            against = f"{median(a[1] / b[1] for a, b in zip(found, echoed, strict=True)):.2f}x"
        table.rows.append([name, f"{rate:,.0f}", f"{core:,.0f}", against])


async def delays(port: int, clients: int, updates: int) -> list[float]:
    """Seconds from each PUT to each client."""
    ready = asyncio.Event()
    arrived: dict[int, list[float]] = {}
    complete = asyncio.Event()
    here = 0

    async def follow(n: int) -> None:
        nonlocal here
        where = f"ws://127.0.0.1:{port}/context/fan/stream?agentId=client{n}"
        async with websockets.connect(where, ping_interval=None, compression=None, max_queue=None) as stream:
            await stream.recv()
            here += 1
            if here == clients:
                ready.set()
            for _ in range(updates):
                number = json.loads(await stream.recv())["version"]
                times = arrived.setdefault(number, [])
                times.append(time.perf_counter())
                if len(times) == clients:
                    complete.set()

    ask(port, request("PUT", "/context/fan", {"context": CONTEXT}))
    followers = [asyncio.create_task(follow(n)) for n in range(clients)]
    await ready.wait()
    sent = []
    for turn in range(updates):
        complete.clear()
        sent.append(time.perf_counter())
        raw = request("PUT", "/context/fan", {"context": {**CONTEXT, "turn": turn}, "agentId": "writer"})
        await asyncio.to_thread(ask, port, raw)
        await complete.wait()
    await asyncio.gather(*followers)
    return [at - sent[n] for n, number in enumerate(sorted(arrived)) for at in arrived[number]]


def each_delivery(clients: int, updates: int, cores: int) -> tuple[float, float]:
    """Deliveries a CPU second of the server, its writes included, and of bare writes of a frame of that size."""
    puts = [
        request("PUT", "/context/fan", {"context": {**CONTEXT, "turn": turn}, "agentId": "writer"})
        for turn in range(updates)
    ]
    frames = [b'{"type":"context_update"'.ljust(FRAME, b" ")] * updates
    with started("server", cores) as (port, pid):
        ask(port, request("PUT", "/context/fan", {"context": CONTEXT}))
        path = "/context/fan/stream?agentId=client"
        ours = asyncio.run(bare_writes.deliveries(port, lambda: cpu(pid), path, clients, puts))
    with started("bare", cores) as (port, pid):
        return ours, asyncio.run(bare_writes.deliveries(port, lambda: cpu(pid), "", clients, frames))


def main() -> None:
    """Print the ratios and medians."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=2.0)
    options.add_argument("--clients", type=int, default=200)
    options.add_argument("--updates", type=int, default=100)
    options.add_argument("--cores", type=int, default=1)
    options.add_argument("--serve", choices=("bare", "echo", "server"), help=argparse.SUPPRESS)
    options.add_argument("--port", type=int, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.serve:
        serve(given.serve, given.port, given.cores)
        return
    table = Table(
        f"Requests, servers on {given.cores} of {os.cpu_count()} cores",
        ["what", "requests/s", "requests/CPU s", "beside the echo"],
    )
    requests_per_second(given.seconds, given.cores, table)
    print(table.plain())
    rounds = [each_delivery(given.clients, given.updates, given.cores) for _ in range(3)]
    with started("server", given.cores) as (port, _):
        waited = asyncio.run(delays(port, given.clients, given.updates))
    core, bare = median(each[0] for each in rounds), median(each[1] for each in rounds)
    against = median(each[0] / each[1] for each in rounds)
    print(
        f"fan-out to {given.clients} clients: {core:,.0f} deliveries/CPU s, {against:.2f}x of {bare:,.0f} bare writes"
    )
    print(f"PUT to client: median {median(waited) * 1000:.1f} ms, p99 {quantiles(waited, n=100)[98] * 1000:.1f} ms")


if __name__ == "__main__":
    main()
