"""A server of one's own is known by its process, keeps its port, and is told apart from others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sharedctx.backends.redis.local import LocalServer, free_port, programs
from sharedctx.errors import BackendUnavailable, ConfigError


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalServer]:
    if not programs():
        pytest.skip("no Redis server is installed: pip install 'sharedctx[redis]', or apt-get install redis-server")
    made = LocalServer(tmp_path / "server")
    yield made
    made.stop()


def test_a_server_starts_again_where_it_was_and_moves_only_when_it_is_stopped(server: LocalServer) -> None:
    first, second = free_port(), free_port()
    assert server.start(first) == server.start() == f"redis://127.0.0.1:{first}"
    with pytest.raises(ConfigError, match="stop it first"):
        server.start(second)
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while server.pid:
        pass
    assert server.start() == f"redis://127.0.0.1:{first}"
    assert server.stop()
    assert server.start(second) == f"redis://127.0.0.1:{second}"


def test_a_process_that_took_the_number_of_a_server_that_died_is_left_alone(
    server: LocalServer, tmp_path: Path
) -> None:
    port = free_port()
    server.start(port)
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while server.pid:
        pass
    stranger = LocalServer(tmp_path / "stranger")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        try:
            stranger.start(port)
            (server.folder / "server.pid").write_text(str(other.pid))
            assert server.pid is None
            assert not server.stop()
            assert other.poll() is None
            with pytest.raises(BackendUnavailable, match="something else listens"):
                server.start()
        finally:
            stranger.stop()
            assert other.stdin
            other.stdin.close()


def test_a_folder_that_cannot_be_used_is_told(server: LocalServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/none")):
        assert LocalServer(folder).pid is None
        with pytest.raises(BackendUnavailable, match="name a folder"):
            LocalServer(folder).start(free_port())
