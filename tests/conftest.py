"""Servers that several areas of tests need, each started once and stopped by its process number."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_NUMBERS = itertools.count()
NO_SERVER = "no Redis server is installed: pip install 'sharedctx[redis]', or apt-get install redis-server"


@pytest.fixture(scope="session")
def redis_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Start the server whose program has this name ("" for any) at its first use and return its address."""
    pytest.importorskip("redis", reason="redis is not installed: pip install 'sharedctx[redis]'")
    from sharedctx.backends.redis.local import LocalServer, free_port, programs

    started: dict[str, LocalServer] = {}

    def start(name: str) -> str:
        found = [path for path in programs() if path.name.startswith(name)]
        if not found:
            pytest.skip(f"{name} is not installed" if name else NO_SERVER)
        if name not in started:
            started[name] = LocalServer(tmp_path_factory.mktemp("redis"))
            started[name].start(free_port(), program=found[0])
        return started[name].url

    yield start
    for server in started.values():
        server.stop()


@pytest.fixture
def redis_url(redis_servers: Callable[[str], str]) -> str:
    """The address of an empty store."""
    return f"{redis_servers('')}/?prefix=test{next(_NUMBERS)}"


@pytest.fixture(params=["memory", "disk", "redis"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store on each backend in turn."""
    if request.param == "redis":
        return str(request.getfixturevalue("redis_url"))
    return "memory://" if request.param == "memory" else str(tmp_path / "store")
