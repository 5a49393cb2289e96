"""Redis in several servers: a cluster that spreads spaces, and sentinels that name the primary."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import sharedctx
from sharedctx.backends.base import Backend, Put
from sharedctx.backends.redis import RedisBackend
from sharedctx.backends.redis.local import LocalServer, free_port, programs
from sharedctx.errors import BackendUnavailable, ConfigError
from sharedctx.testing import BackendContract

redis = pytest.importorskip("redis", reason="redis is not installed: pip install 'sharedctx[redis]'")


def ask(port: int, *words: object) -> object:
    with redis.Redis(port=port) as client:
        return client.execute_command(*words)


def until(reached: Callable[[], object]) -> None:
    """Ask until it is so; what raises is asked again."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(redis.RedisError, sharedctx.SharedContextError):
            if reached():
                return
    raise AssertionError("not within a minute")


def joined(port: int) -> bool:
    told = str(ask(port, "CLUSTER", "INFO"))
    return "cluster_known_nodes:2" in told and "cluster_state:ok" in told


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[int]]:
    """The ports of a cluster of two primaries."""
    if not programs():
        pytest.skip("no Redis server is installed: pip install 'sharedctx[redis]', or apt-get install redis-server")
    servers = [LocalServer(tmp_path_factory.mktemp("node")) for _ in range(2)]
    ports, buses = [free_port() for _ in servers], [free_port() for _ in servers]
    try:
        for server, port, bus, slots in zip(servers, ports, buses, ((0, 8191), (8192, 16383)), strict=True):
            server.start(port, options=("--cluster-enabled", "yes", "--cluster-port", str(bus)))
            ask(port, "CLUSTER", "ADDSLOTSRANGE", *slots)
        ask(ports[0], "CLUSTER", "MEET", "127.0.0.1", ports[1], buses[1])
        until(lambda: all(map(joined, ports)))
        yield ports
    finally:
        for server in servers:
            server.stop()


class TestCluster(BackendContract):
    durable = True

    @pytest.fixture(autouse=True)
    def _nodes(self, nodes: list[int]) -> None:
        self.hosts = ",".join(f"127.0.0.1:{port}" for port in nodes)

    def make(self, place: Path, clock: Callable[[], float]) -> Backend:
        return RedisBackend(f"redis+cluster://{self.hosts}?prefix={place.parent.name}-{place.name}", clock=clock)


def test_sessions_are_spread_over_the_nodes(nodes: list[int]) -> None:
    with sharedctx.open(f"redis+cluster://127.0.0.1:{nodes[0]}?prefix=spread") as store:
        for n in range(12):
            store.session(f"session-{n}").put("k", f"value {n}")
        assert len(store.sessions()) == 12
        assert [store.session(f"session-{n}").get("k", full=True) for n in range(12)] == [
            f"value {n}" for n in range(12)
        ]
        assert store.doctor() == []
    held = [ask(port, "KEYS", "spread:*") for port in nodes]
    assert all(len(keys) > 10 for keys in held)  # type: ignore[arg-type]


@pytest.mark.parametrize("first", ["m", "f", "p", "d:k"])
def test_a_session_whose_keys_are_on_their_way_to_another_node_is_whole_or_not_there(
    nodes: list[int], first: str
) -> None:
    prefix = f"moved{first[0]}"
    with sharedctx.open(f"redis+cluster://127.0.0.1:{nodes[0]}?prefix={prefix}") as store:
        ctx = store.session("s")
        for n in range(3):
            ctx.put("k", f"value {n}")
        base = f"{prefix}:{{session:s}}:"
        slot = ask(nodes[0], "CLUSTER", "KEYSLOT", base)
        there = [ask(port, "CLUSTER", "COUNTKEYSINSLOT", slot) for port in nodes]
        source, target = sorted(nodes, key=lambda port: there[nodes.index(port)] == 0)
        names = {port: ask(port, "CLUSTER", "MYID") for port in nodes}
        ask(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", names[source])
        ask(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", names[target])

        def move(*keys: object) -> None:
            ask(source, "MIGRATE", "127.0.0.1", target, "", 0, 5000, "KEYS", *keys)

        move(base + first)
        for key in ("k", "new"):
            with pytest.raises(BackendUnavailable, match="moving this session"):
                ctx.put(key, "between")
        assert ctx.get("k", full=True) == "value 2"
        assert [entry.version for entry in ctx.history("k")] == [3, 2, 1]
        move(*ask(source, "CLUSTER", "GETKEYSINSLOT", slot, 100))  # type: ignore[misc]
        for port in (target, source):
            ask(port, "CLUSTER", "SETSLOT", slot, "NODE", names[target])
        assert ctx.put("k", "after").version == 4
        assert [event.version for event in ctx.changes()] == [1, 2, 3, 4]
        assert store.doctor() == []


def test_a_cluster_is_as_durable_as_the_least_of_its_nodes(nodes: list[int]) -> None:
    address = f"redis+cluster://127.0.0.1:{nodes[0]}?prefix=durable"
    try:
        for port in nodes:
            with pytest.raises(ConfigError, match="appendfsync always"):
                RedisBackend(address, durable=True)
            ask(port, "CONFIG", "SET", "appendfsync", "always")
        with sharedctx.open(address, durable=True) as store:
            facts = store.stats()
            assert (facts["durability"], facts["nodes"]) == ("append-only file, flushed at every write", 2)
            assert store.doctor() == []
            ask(nodes[1], "CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "allkeys-lru")
            assert "allkeys-lru" in " ".join(store.doctor())
    finally:
        for port in nodes:
            ask(port, "CONFIG", "SET", "appendfsync", "everysec", "maxmemory", "0", "maxmemory-policy", "noeviction")


def test_an_address_of_the_wrong_kind_of_server_is_told(nodes: list[int], redis_url: str) -> None:
    first = next(
        prefix for prefix in "abcdefgh" if int(str(ask(nodes[0], "CLUSTER", "KEYSLOT", f"{prefix}:store"))) > 8191
    )
    with pytest.raises(ConfigError, match=r"redis\+cluster://"):
        RedisBackend(f"redis://127.0.0.1:{nodes[0]}?prefix={first}")
    with pytest.raises(ConfigError, match="is no cluster"):
        RedisBackend(redis_url.replace("redis://", "redis+cluster://").replace("/?", "?"))


@pytest.mark.parametrize("address", ["redis+cluster://127.0.0.1:1", "redis+sentinel://127.0.0.1:1/main"])
def test_servers_that_cannot_be_reached_are_told(address: str) -> None:
    with pytest.raises(BackendUnavailable, match="cannot be reached") as told:
        RedisBackend(address)
    assert "<redis." not in str(told.value)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[list[LocalServer], str]]:
    """A primary with a replica, and the address of the sentinel that watches them."""
    if not programs():
        pytest.skip("no Redis server is installed: pip install 'sharedctx[redis]', or apt-get install redis-server")
    servers = [LocalServer(tmp_path / name) for name in ("one", "two")]
    ports = [free_port() for _ in servers]
    servers[0].start(ports[0])
    servers[1].start(ports[1], options=("--replicaof", "127.0.0.1", str(ports[0])))
    port, config = free_port(), tmp_path / "sentinel.conf"
    config.write_text(
        f"port {port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {ports[0]} 1\n"
        "sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 2000\n"
    )
    command = [str(programs()[0]), str(config), "--sentinel", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as sentinel:
        try:

            def connected() -> bool:
                known = str(ask(port, "SENTINEL", "REPLICAS", "main"))
                return "slave" in known and "disconnected" not in known

            until(connected)
            yield servers, f"redis+sentinel://127.0.0.1:{port}/main?timeout=1"
        finally:
            sentinel.terminate()
            for server in servers:
                server.stop()


def test_the_primary_that_sentinels_name_is_followed_when_it_changes(watched: tuple[list[LocalServer], str]) -> None:
    servers, url = watched
    backend = RedisBackend(url)
    try:
        for n in range(5):
            backend.commit("s", [Put("p", b"%d" % n)])
        ports = [server.port for server in servers]
        ask(ports[0] or 0, "WAIT", 1, 5000)
        pid = servers[0].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until(lambda: backend.commit("s", [Put("q", b"after")]))
        assert [row.value for row in backend.scan("s", "p")] == [b"0", b"1", b"2", b"3", b"4"]
        assert ask(ports[1] or 0, "ROLE")[0] == b"master"  # type: ignore[index]
    finally:
        backend.close()
