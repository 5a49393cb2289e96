"""What several rooms of tests need: a store with a clock, a log, servers that are started once and stopped by their
process number."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import sharedctx
from sharedctx import SharedContext, Store
from sharedctx.testing import ManualClock

from .forked import ForkServer

# How long an example takes says how busy the machine is.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

_NUMBERS = itertools.count()
NO_SERVER = "no Redis server is installed: pip install 'sharedctx[redis]', or apt-get install redis-server"


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SHAREDCTX_URL", "SHAREDCTX_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_700_000_000.0)


@pytest.fixture
def store(clock: ManualClock) -> Iterator[Store]:
    """A store in memory."""
    with sharedctx.open("memory://", clock=clock) as opened:
        yield opened


@pytest.fixture
def context(store: Store) -> SharedContext:
    """A session of that store."""
    return store.session("team")


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """Two openings of one store that share nothing in the process, as two processes do."""
    with (
        sharedctx.open(tmp_path / "store", clock=ManualClock()) as one,
        sharedctx.open(tmp_path / "store", clock=ManualClock()) as two,
    ):
        assert one.backend is not two.backend
        yield one, two


@pytest.fixture
def before_the_first_group() -> Callable[[Store, Callable[[], object]], None]:
    """Lets something happen between the queueing of a store's writes and their commit."""

    def meddle(store: Store, act: Callable[[], object]) -> None:
        commit_many = store.backend.commit_many
        waiting = [act]

        def meddling(*given: Any) -> Any:
            while waiting:
                waiting.pop()()
            return commit_many(*given)

        store.backend.commit_many = meddling  # type: ignore[method-assign]

    return meddle


@pytest.fixture
def log() -> str:
    """32 KB of a log with one line that matters."""
    lines = [
        f"2026-01-01 00:{n // 60:02}:{n % 60:02} INFO worker-{n % 7} finished job {n * 37} in {n % 90} ms"
        for n in range(500)
    ]
    lines[211] = "2026-01-01 00:03:31 ERROR worker-1 disk /dev/sdb1 is full: job 7807 lost"
    return "\n".join(lines)


class TurningCount:
    """Counts tokens; from ``watch`` on only while the loop of who called that turns."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turned = threading.Event()

    def watch(self) -> None:
        """Insist from now on that the running loop turns."""
        self._loop = asyncio.get_running_loop()

    def __call__(self, text: str) -> int:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._turned.set)
            assert self._turned.wait(60), "the loop stood still"
        return len(text) // 4


@pytest.fixture
def turning_count() -> TurningCount:
    """A counter of tokens that fails where it is called on the event loop."""
    return TurningCount()


@pytest.fixture(scope="session")
def fork_server() -> Iterator[Callable[[str], ForkServer]]:
    """The process that has run a text of imports and forks others; it is started when it is first wanted."""
    started: dict[str, ForkServer] = {}

    def server(prelude: str) -> ForkServer:
        if prelude not in started:
            started[prelude] = ForkServer(prelude)
        return started[prelude]

    yield server
    for each in started.values():
        each.stop()


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


@pytest.fixture(scope="session")
def dynamodb_endpoint() -> Iterator[str]:
    """The URL of a DynamoDB of moto's, with credentials for it in the environment."""
    for package in ("boto3", "moto"):
        pytest.importorskip(package, reason=f"{package} is not installed: pip install -e '.[dev]'")
    program = Path(__file__).with_name("dynamodb_server.py")
    with (
        pytest.MonkeyPatch.context() as environment,
        subprocess.Popen([sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server,
    ):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "testing")
        environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"):
            environment.delenv(name, raising=False)
        assert server.stdout
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        assert server.stdin
        server.stdin.close()


@pytest.fixture
def dynamodb_url(dynamodb_endpoint: str) -> str:
    """The address of an empty store, in a table of its own."""
    return f"dynamodb://test{next(_NUMBERS)}?region=eu-west-1&endpoint={dynamodb_endpoint}"


@pytest.fixture(params=["memory", "disk", "redis"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store on each backend in turn."""
    if request.param == "redis":
        return str(request.getfixturevalue("redis_url"))
    return "memory://" if request.param == "memory" else str(tmp_path / "store")
