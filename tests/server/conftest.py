"""Servers for tests, each on a free port of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("starlette", reason="the server's packages are not installed")
pytest.importorskip("msgspec", reason="the server's packages are not installed")
httpx = pytest.importorskip("httpx", reason="httpx is not installed")
pytest.importorskip("websockets", reason="websockets is not installed")

from sharedctx_server.testing import Running, running  # noqa: E402


@pytest.fixture
def server() -> Iterator[Running]:
    """A server over a store in memory."""
    with running() as found:
        yield found


@pytest.fixture
def http(server: Running) -> Iterator[httpx.Client]:
    """A client of that server."""
    with httpx.Client(base_url=server.url, timeout=60) as found:
        yield found
