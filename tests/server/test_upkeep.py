"""What a server does by itself and says of itself: sweeping, health, metrics, compression, starting and stopping."""

from __future__ import annotations

import asyncio
import gzip
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from subprocess import run
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

import sharedctx
from sharedctx import Store
from sharedctx.backends.steps import run as drive
from sharedctx.callers.bearers import Tokens
from sharedctx.errors import BackendUnavailable, ConfigError
from sharedctx.evolution import EvolutionStore
from sharedctx.projects import Projects, ProjectSettings
from sharedctx.testing import ManualClock
from sharedctx_server import ServerSettings, background
from sharedctx_server.testing import Running, running

from .processes import ServerProcess, free_port

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def put(http: httpx.Client, project: str, context: Any = None) -> httpx.Response:
    return http.put(f"/context/{project}", json={"context": context or {"a": 1}})


def wait_for_access(store: Store, participant: str) -> None:
    """Accesses are written down a moment after they happen."""
    ctx = store.session()
    while not any(each.participant == participant for each in ctx.run(Projects(ctx).accesses.all())):
        continue


def test_what_nobody_accessed_for_long_goes_and_is_told(server: Running) -> None:
    clock = ManualClock()
    limits = ProjectSettings(ttl=100)
    with (
        sharedctx.open("memory://", clock=clock) as store,
        running(store, sweep_every=0.02, projects=limits) as own,
        httpx.Client(base_url=own.url) as http,
    ):
        put(http, "old")
        put(http, "read")
        with connect(f"ws://127.0.0.1:{own.port}/context/old/stream?agentId=a") as stream:
            stream.recv(5)
            wait_for_access(store, "a")
            clock.advance(99)
            assert http.get("/context/read", headers={"x-agent-id": "reader"}).status_code == 200
            wait_for_access(store, "reader")
            clock.advance(2)
            assert '"context_deleted"' in str(stream.recv(5))
        assert http.get("/context/old").status_code == 404
        assert [gone.key for gone in store.session().evicted()] == ["project/old/context"]


def test_it_is_told_up_to_which_version_somebody_read() -> None:
    with running(projects=ProjectSettings(ttl=24)) as own, httpx.Client(base_url=own.url) as http:

        def readers() -> dict[str, int]:
            found = http.get("/api/readers").json()["readers"]
            return {each["participant"]: each["version"] for each in found if each["participant"]}

        def wait_for(wanted: dict[str, int]) -> None:
            end = time.monotonic() + 20
            while (found := readers()) != wanted:
                assert time.monotonic() < end, found

        put(http, "atlas")
        with connect(f"ws://127.0.0.1:{own.port}/context/atlas/stream?agentId=follower") as stream:
            stream.recv(5)
            for turn in (2, 3, 4):
                http.get("/context/atlas?agentId=reader")
                put(http, "atlas", {"turn": turn})
                assert f'"version":{turn}' in str(stream.recv(5))
            http.get("/context/atlas?agentId=late&version=2")
            wait_for({"reader": 3, "late": 2, "follower": 1})
        wait_for({"reader": 3, "late": 2, "follower": 4})


def test_of_too_many_the_least_recently_used_goes() -> None:
    clock = ManualClock()
    limits = ProjectSettings(max_projects=3)
    with (
        sharedctx.open("memory://", clock=clock) as store,
        running(store, projects=limits) as own,
        httpx.Client(base_url=own.url) as http,
    ):
        for project in ("a", "b", "c", "d"):
            clock.advance(1)
            put(http, project)
        assert [http.get(f"/context/{project}").status_code for project in "abcd"] == [404, 200, 200, 200]
        assert [gone.why for gone in store.session().evicted()] == ["max_projects"]


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("gzip", "gzip"),
        ("zstd", "zstd"),
        ("gzip, zstd", "zstd"),
        ("gzip;q=1, zstd;q=0.5", "gzip"),
        ("*", "zstd"),
        ("identity", None),
        ("gzip;q=0", None),
        ("br", None),
    ],
)
def test_large_replies_are_compressed_as_the_caller_wants(
    server: Running, http: httpx.Client, accepted: str, expected: str | None
) -> None:
    put(http, "large", {"text": "words and more words " * 500})
    plain = http.get("/context/large", headers={"accept-encoding": "identity"}).content
    with http.stream("GET", "/context/large", headers={"accept-encoding": accepted}) as reply:
        raw = b"".join(reply.iter_raw())
        assert reply.headers.get("content-encoding") == expected
        assert reply.headers["vary"] == "accept-encoding"
    unpack = {"gzip": gzip.decompress, "zstd": zstd.decompress, None: bytes}[expected]
    assert unpack(raw) == plain
    assert len(raw) == len(plain) if expected is None else len(raw) < len(plain) / 4
    put(http, "small")
    assert "content-encoding" not in http.get("/context/small", headers={"accept-encoding": "gzip"}).headers


def test_metrics_are_told_as_json_and_for_prometheus(server: Running, http: httpx.Client) -> None:
    put(http, "a", {"text": "words " * 1000})
    tag = http.get("/context/a", headers={"accept-encoding": "gzip"}).headers["etag"]
    http.get("/context/a", headers={"if-none-match": tag})
    http.put("/context/a", json={"context": {}, "expectedVersion": 7})
    found = http.get("/metrics").json()
    assert found["totalRequests"] == 5
    assert (found["cacheHits"], found["activeContexts"], found["totalVersions"]) == (1, 1, 1)
    assert found["compressionSaved"] > 1000
    assert found["contextSizes"][0]["projectId"] == "a"
    http.get("/context/a?maxTokens=100")
    text = http.get("/metrics", headers={"accept": "text/plain"}).text
    assert 'sharedctx_savings_calls_total{face="server",kind="window"} 1.0' in text
    assert 'sharedctx_savings_replay_tokens_total{face="server",kind="window"}' in text
    lines = {line.split(" ")[0]: float(line.split(" ")[1]) for line in text.splitlines() if not line.startswith("#")}
    assert lines["sharedctx_conflicts_total"] == 1
    assert lines["sharedctx_writes_total"] == 1
    assert lines["sharedctx_compression_ratio"] > 4
    assert lines["sharedctx_store_bytes"] > 0
    for name in ("watch_lag_seconds", "dropped_total", "tokens_saved_total", "evolution_contexts", "cache_hit_ratio"):
        assert f"sharedctx_{name}" in lines


def test_metrics_tell_how_long_the_phases_of_evolutions_took(server: Running, http: httpx.Client) -> None:
    async def evolve(names: Sequence[str]) -> None:
        store = EvolutionStore(store=server.store)
        await store.create_context("src", [])
        for name in names:
            await store.update_phase(name)
        await store.update_context("status", "completed")

    for names in ([f"p{number:02}" for number in range(20)], ["plan"], ['a "b"\n', "plan"]):
        asyncio.run(evolve(names))
    text = http.get("/metrics", headers={"accept": "text/plain"}).text
    assert 'sharedctx_evolution_phase_runs{phase="plan"} 2.0' in text
    assert 'sharedctx_evolution_phase_runs{phase="a \\"b\\"\\n"} 1.0' in text
    assert 'sharedctx_evolution_phase_mean_seconds{phase="initialization"}' in text
    assert text.count("sharedctx_evolution_phase_runs{") == 20, "the commonest"


def away(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the server's store answer nothing from now on."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise BackendUnavailable("the store cannot be reached: is it running?")

    for name in ("commit", "pks", "rev", "scan", "spaces", "stats"):
        monkeypatch.setattr(server.store.backend, name, refuse, raising=False)


def test_while_the_store_is_away_everybody_is_told_so(
    server: Running, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    http.put("/context/atlas", json={"context": {"kept": 1}})
    with monkeypatch.context() as patch:
        away(server, patch)
        for told in (http.get("/context/atlas"), http.get("/api/entries"), http.get("/metrics")):
            assert (told.status_code, told.json()["code"]) == (503, "BACKEND_UNAVAILABLE")
            assert "is it running?" in told.json()["error"]
        assert "sharedctx_store_answers 0.0" in http.get("/metrics", headers={"accept": "text/plain"}).text
        assert http.get("/health").json()["status"] == "degraded"
    assert http.get("/context/atlas").json()["context"] == {"kept": 1}


def test_a_token_is_still_asked_for_while_the_store_that_knows_it_is_away(
    server: Running, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = drive(server.store.backend, Tokens().make("scout", 60))
    shown = {"authorization": f"Bearer {issued.text}"}
    assert http.get("/api/entries", headers=shown).status_code == 200
    away(server, monkeypatch)
    assert http.get("/openapi.json").status_code == 401
    assert http.get("/openapi.json", headers=shown).status_code == 503


def test_health_says_why_it_is_degraded() -> None:
    with running(slow_store=1e-9) as server:
        found = httpx.get(server.url + "/health").json()
        assert found["status"] == "degraded"
        assert "slow" in found["reasons"][0]
    with running() as server, httpx.Client(base_url=server.url) as http:
        assert http.get("/health").json()["status"] == "healthy"
        assert http.get("/ready").json()["ready"]
        with http.stream("GET", "/context/atlas/stream"):
            pass
        assert http.get("/health").json()["status"] == "healthy"
        where = f"ws://127.0.0.1:{server.port}/context/atlas/stream?agentId="
        streams = [connect(f"{where}{n}") for n in range(4)]
        for stream in streams:
            stream.recv(5)
        for stream in streams[:2]:
            stream.socket.close()
        while (found := http.get("/health").json())["connections"] > 2:
            continue
        assert found["status"] == "degraded"
        assert "2 of 4 clients lost" in found["reasons"][0]
        for stream in streams[2:]:
            stream.close()


def test_a_stop_drains_and_ends_with_nought(tmp_path: Path) -> None:
    process = ServerProcess(tmp_path).start()
    where = f"ws://127.0.0.1:{process.port}/context/atlas/stream?agentId=a"
    with connect(where) as stream, httpx.stream("GET", f"{process.url}/api/events") as events:
        stream.recv(5)
        next(events.iter_lines())
        assert httpx.put(f"{process.url}/context/atlas", json={"context": {"a": 1}}).status_code == 200
        assert process.kill(signal.SIGTERM) == 0
    with sharedctx.open(tmp_path) as store:
        assert store.session().get("project/atlas/context", full=True) == {"a": 1}


def test_a_second_start_finds_the_first(tmp_path: Path) -> None:
    port = str(free_port())

    def command(*words: str, store: str = "one") -> Any:
        start = "from sharedctx_cli.main import main; main()"
        given = [sys.executable, "-c", start, "--path", str(tmp_path / store), *words]
        return run(given, capture_output=True, text=True, check=False)

    try:
        first = command("serve", "--port", port, "--background")
        assert first.returncode == 0, first.stderr
        second = command("serve", "--port", port)
        assert (second.returncode, "runs already" in second.stdout) == (0, True)
        other = command("serve", "--port", port, store="two")
        assert other.returncode == 1
        assert "another store" in other.stderr
    finally:
        stopped = command("serve", "stop", "--port", port)
    assert stopped.returncode == 0
    assert command("serve", "status", "--port", port).returncode == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.2 is no address of this machine")
def test_of_two_servers_with_one_port_each_is_stopped_at_its_own_address(tmp_path: Path) -> None:
    port = free_port()
    hosts = ("127.0.0.1", "127.0.0.2")
    try:
        for host in hosts:
            background.start(str(tmp_path / host), ServerSettings(host=host, port=port))
        assert background.stop("localhost", port)
        assert background.find("127.0.0.1", port) is None
        left = background.find("127.0.0.2", port)
        assert left is not None
        assert left.pid is not None
    finally:
        stopped = [background.stop(host, port) for host in hosts]
    assert stopped == [False, True]


def test_a_port_of_another_program_is_told(tmp_path: Path) -> None:
    import socket

    from sharedctx_server import serve

    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match="choose one by --port"):
        serve(tmp_path, port=taken.getsockname()[1])
