"""Streams over real sockets: what is told, resumed, refused, and what becomes of those who are too slow."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.sync.client import connect

import sharedctx
from sharedctx.projects import Projects, ProjectSettings, State
from sharedctx_server.testing import Running, running

from .heard import Heard, client
from .processes import ServerProcess


def where(server: Running | ServerProcess, agent: str = "one", **query: Any) -> str:
    more = "".join(f"&{name}={value}" for name, value in query.items())
    return f"ws://127.0.0.1:{server.port}/context/atlas/stream?agentId={agent}{more}"


def put(server: Running | ServerProcess, context: Any, agent: str = "writer") -> Any:
    return httpx.put(f"{server.url}/context/atlas", json={"context": context, "agentId": agent}).json()


def run(work: Callable[[], Awaitable[None]], seconds: float = 60) -> None:
    asyncio.run(asyncio.wait_for(work(), seconds))  # type: ignore[arg-type]


def test_a_stream_begins_with_a_snapshot_and_tells_what_comes(server: Running) -> None:
    put(server, {"a": 1})
    with connect(where(server)) as stream:
        snapshot = json.loads(stream.recv(5))
        assert snapshot["type"] == "context_snapshot"
        assert snapshot["context"] == {"a": 1}
        written = put(server, {"a": 2, "b": 1})
        update = json.loads(stream.recv(5))
        assert update["changes"] == {"added": {"b": 1}, "modified": {"a": 2}, "removed": [], "unchanged": []}
        assert (update["version"], update["hash"]) == (2, written["hash"])
        stream.send('{"type":"ping"}')
        assert json.loads(stream.recv(5))["type"] == "pong"


def test_the_sender_gets_an_acknowledgement_and_others_the_change(server: Running) -> None:
    with connect(where(server, "one")) as one, connect(where(server, "two")) as two:
        assert json.loads(one.recv(5)) == {"type": "subscribed", "projectId": "atlas", "version": 0}
        two.recv(5)
        one.send(json.dumps({"type": "context_update", "diff": {"added": {"a": 1}}, "id": "first"}))
        ack = json.loads(one.recv(5))
        assert (ack["type"], ack["version"], ack["id"]) == ("ack", 1, "first")
        assert json.loads(two.recv(5))["agentId"] == "one"
        one.send(json.dumps({"type": "context_update", "diff": {"added": {"a": 1}}, "id": "first"}))
        assert json.loads(one.recv(5))["version"] == 1
        one.send(json.dumps({"type": "context_update", "diff": {"removed": ["none"]}, "id": "second"}))
        refused = json.loads(one.recv(5))
        assert (refused["type"], refused["statusCode"], refused["id"]) == ("error", 400, "second")
        one.send(json.dumps({"type": "context_update", "diff": {"added": {"b": 1}}, "expectedVersion": 7}))
        assert json.loads(one.recv(5))["currentVersion"] == 1


@pytest.mark.parametrize("how", ["query", "message"])
def test_who_comes_back_with_a_version_gets_exactly_what_it_missed(server: Running, how: str) -> None:
    for turn in range(6):
        put(server, {"turn": turn})
    with connect(where(server, **({"fromVersion": 3} if how == "query" else {}))) as stream:
        if how == "message":
            stream.recv(5)
            stream.send('{"type":"subscribe_to_changes","fromVersion":3}')
        told = [json.loads(stream.recv(5)) for _ in range(3)]
        assert [each["version"] for each in told] == [4, 5, 6]
        put(server, {"turn": 6})
        assert json.loads(stream.recv(5))["version"] == 7


def test_who_missed_more_than_is_kept_is_told_and_starts_anew(server: Running) -> None:
    for turn in range(15):
        put(server, {"turn": turn})
    with connect(where(server, fromVersion=2)) as stream:
        compacted = json.loads(stream.recv(5))
        assert (compacted["type"], compacted["statusCode"], compacted["oldest"]) == ("compacted", 410, 6)
        assert json.loads(stream.recv(5))["version"] == 15


def test_a_removal_is_told_and_ends_the_stream(server: Running) -> None:
    put(server, {"a": 1})
    with connect(where(server)) as stream:
        stream.recv(5)
        httpx.delete(f"{server.url}/context/atlas")
        assert json.loads(stream.recv(5))["type"] == "context_deleted"
        with pytest.raises(websockets.ConnectionClosedOK):
            stream.recv(5)


@pytest.mark.parametrize(
    "path", ["/context/stream?projectId=atlas", "/context/stream?agentId=a", "/context/a%20b/stream?agentId=a"]
)
def test_who_does_not_say_who_and_what_is_closed_with_1008(server: Running, path: str) -> None:
    with connect(f"ws://127.0.0.1:{server.port}{path}") as stream:
        with pytest.raises(websockets.ConnectionClosedError) as caught:
            stream.recv(5)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1008


def test_the_project_may_stand_in_the_query(server: Running) -> None:
    put(server, {"a": 1})
    with connect(f"ws://127.0.0.1:{server.port}/context/stream?projectId=atlas&agentId=a") as stream:
        assert json.loads(stream.recv(5))["version"] == 1


@pytest.mark.parametrize("said", ["no json", '{"type":"unknown"}', "[]", '"text"', "[" * 50_000, '{"a":NaN}', b"bytes"])
def test_odd_messages_are_answered_and_the_stream_goes_on(server: Running, said: str | bytes) -> None:
    with connect(where(server)) as stream:
        stream.recv(5)
        for odd in (said, '{"type":"context_update","diff":{},"expectedVersion":"x"}'):
            stream.send(odd)
            assert json.loads(stream.recv(5))["statusCode"] == 400
        stream.send('{"type":"ping"}')
        assert json.loads(stream.recv(5))["type"] == "pong"


def test_a_giant_frame_ends_that_stream_alone(server: Running) -> None:
    with connect(where(server, "one")) as one, connect(where(server, "two"), max_size=None) as two:
        one.recv(5)
        two.recv(5)
        with contextlib.suppress(websockets.ConnectionClosed):
            two.send("x" * (11 * 2**20))
        with pytest.raises(websockets.ConnectionClosedError):
            two.recv(10)
        one.send('{"type":"ping"}')
        assert json.loads(one.recv(5))["type"] == "pong"


def sse(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    number = ""
    for line in lines:
        if line.startswith("id: "):
            number = line[4:]
        elif line.startswith("data: "):
            yield number, json.loads(line[6:])


def test_server_sent_events_go_on_after_the_last_event(server: Running, http: httpx.Client) -> None:
    put(server, {"a": 1})
    with http.stream("GET", "/context/atlas/stream") as stream:
        told = sse(stream.iter_lines())
        number, data = next(told)
        assert (number, data["type"]) == ("1", "context_snapshot")
        put(server, {"a": 2})
        assert next(told)[0] == "2"
    put(server, {"a": 3})
    put(server, {"a": 4})
    for last, asked in (("2", {}), ("2", {"fromVersion": 3}), ("of another server", {"fromVersion": 2})):
        with http.stream("GET", "/context/atlas/stream", params=asked, headers={"last-event-id": last}) as stream:
            told = sse(stream.iter_lines())
            assert [next(told)[0], next(told)[0]] == ["3", "4"]


def test_silence_is_filled_with_heartbeats() -> None:
    with (
        running(heartbeat=0.05) as server,
        httpx.stream("GET", f"{server.url}/context/atlas/stream") as stream,
        httpx.stream("GET", f"{server.url}/api/events") as events,
    ):
        for each in (stream, events):
            lines = each.iter_lines()
            assert sum(next(lines) == ": heartbeat" for _ in range(12)) >= 2


def test_who_is_too_slow_is_closed_with_1013_and_told_how_far_it_came() -> None:
    with running(queue=4) as server:
        put(server, {"big": ""})
        asked = (
            "GET /context/atlas/stream?agentId=slow HTTP/1.1",
            "host: 127.0.0.1",
            "upgrade: websocket",
            "connection: upgrade",
            "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
            "sec-websocket-version: 13",
        )
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(("127.0.0.1", server.port))
            slow.sendall("\r\n".join([*asked, "", ""]).encode())
            assert slow.recv(4)
            for turn in range(60):
                put(server, {"big": f"{turn}" + "x" * 1_000_000})
                if server.service.meter.dropped:
                    break
            assert server.service.meter.dropped == 1
            slow.settimeout(10)
            tail = b""
            while data := slow.recv(1 << 20):
                tail = (tail + data)[-200:]
            reason = tail.rpartition(b"too slow: last version ")
            assert struct.unpack("!H", reason[0][-2:])[0] == 1013
            assert 1 <= int(reason[2]) < 60


def test_two_hundred_clients_get_every_update_once_and_in_order(server: Running) -> None:
    async def work() -> None:
        put(server, {"turn": -1})
        clients, updates = 200, 20

        async def follow(stream: ClientConnection) -> list[int]:
            return [json.loads(await stream.recv())["version"] for _ in range(updates + 1)]

        streams = [await open_socket(where(server, f"agent{n}"), compression=None) for n in range(clients)]
        following = [asyncio.create_task(follow(stream)) for stream in streams]
        for turn in range(updates):
            await asyncio.to_thread(put, server, {"turn": turn})
        told = await asyncio.gather(*following)
        assert all(each == list(range(1, updates + 2)) for each in told)
        assert httpx.get(f"{server.url}/metrics").json()["activeConnections"] == clients
        await asyncio.gather(*(stream.close() for stream in streams))

    run(work)


def test_no_update_is_lost_or_doubled_while_the_server_is_killed(tmp_path: Path) -> None:
    process = ServerProcess(tmp_path / "store")

    async def work() -> None:
        with process:
            async with client(process, "reader") as reader, client(process, "writer", max_retries=12) as writer:
                heard = Heard(reader, "context_updated_realtime", "connected")
                written: list[int] = []

                async def write() -> None:
                    for turn in range(120):
                        found = await writer.update_context({"added": {"turn": turn}})
                        written.append(found["version"])

                writing = asyncio.create_task(write())
                for stop in (20, 50, 80):
                    while len(written) < stop:
                        await asyncio.sleep(0.01)
                    process.kill(signal.SIGKILL)
                    await asyncio.to_thread(process.start)
                await writing

                def told() -> list[int]:
                    return [data["version"] for name, data in heard.all if name == "context_updated_realtime"]

                await heard.until(lambda: bool(told()) and told()[-1] == written[-1])
                assert written == list(range(1, 121))
                assert told() == written
                assert (await reader.get_context())["context"] == {"turn": 119}

    run(work)


def test_who_follows_a_fast_foreign_writer_gets_versions_that_are_not_kept_any_more() -> None:
    keep_one = ProjectSettings(keep_versions=1)
    with sharedctx.open("memory://") as store, running(store, projects=keep_one) as server:
        put(server, {"turn": 1})
        with connect(where(server)) as stream:
            stream.recv(5)
            other = store.session()
            projects = Projects(other, keep_one)
            for turn in range(2, 8):
                other.run(projects.put(None, "atlas", State.of({"turn": turn}), "elsewhere"))
            told = [json.loads(stream.recv(5)) for _ in range(2, 8)]
        assert [each["type"] for each in told] == ["context_update"] * 6
        assert [each["changes"]["modified"]["turn"] for each in told] == list(range(2, 8))


def test_two_servers_on_one_store_tell_each_others_writes(tmp_path: Path) -> None:
    with (
        ServerProcess(tmp_path) as first,
        ServerProcess(tmp_path) as second,
        connect(where(first, "one")) as one,
        connect(where(second, "two")) as two,
    ):
        one.recv(5)
        two.recv(5)
        for turn in range(20):
            put(first if turn % 2 else second, {"turn": turn})
        with sharedctx.open(tmp_path) as store:
            store.session().put("project/atlas/context", {"turn": "here"}, agent="local")
        for stream in (one, two):
            told = [json.loads(stream.recv(10)) for _ in range(21)]
            assert [each["version"] for each in told] == list(range(1, 22))
            assert told[-1]["changes"]["modified"] == {"turn": "here"}
        counted = Counter(httpx.get(f"{each.url}/context/atlas").json()["hash"] for each in (first, second))
        assert len(counted) == 1
