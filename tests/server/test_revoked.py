"""A token that counts no more: open streams end, and nothing that was said by it is done any more."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
import websockets
from websockets.sync.client import connect

from sharedctx import Store
from sharedctx.backends.steps import run
from sharedctx.callers import bearers
from sharedctx.callers.bearers import Bearers, Issued, Tokens
from sharedctx_server.testing import Running


@pytest.fixture
def issued(server: Running) -> Issued:
    return run(server.store.backend, Tokens().make("scout"))


def told(issued: Issued) -> dict[str, str]:
    return {"authorization": f"Bearer {issued.text}"}


def revoke(server: Running, issued: Issued) -> None:
    run(server.store.backend, Tokens().revoke(issued.token.id))


def test_a_socket_ends_with_its_token_and_writes_no_more(server: Running, issued: Issued) -> None:
    kept = run(server.store.backend, Tokens().make("keeper"))
    where = f"ws://127.0.0.1:{server.port}/context/atlas/stream"
    with (
        connect(where, additional_headers=told(issued)) as mine,
        connect(where, additional_headers=told(kept)) as other,
    ):
        assert json.loads(mine.recv(5))["type"] == "subscribed"
        revoke(server, issued)
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            mine.recv(20)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "the token counts no more")
        other.send('{"type":"ping"}')
        assert {json.loads(other.recv(5))["type"] for _ in range(2)} == {"subscribed", "pong"}


@pytest.mark.parametrize("path", ["/context/atlas/stream", "/api/events"])
def test_events_end_with_their_token(server: Running, issued: Issued, path: str) -> None:
    with httpx.stream("GET", server.url + path, headers=told(issued), timeout=20) as stream:
        revoke(server, issued)
        assert b"".join(stream.iter_raw())  # to the end
    assert httpx.get(server.url + "/api/entries", headers=told(issued)).status_code == 401


def test_streams_without_a_token_end_when_the_first_is_made(server: Running) -> None:
    with (
        connect(f"ws://127.0.0.1:{server.port}/context/atlas/stream?agentId=scout") as socket,
        httpx.stream("GET", server.url + "/context/atlas/stream", timeout=20) as events,
        httpx.stream("GET", server.url + "/api/events", timeout=20) as changes,
    ):
        assert json.loads(socket.recv(5))["type"] == "subscribed"
        kept = run(server.store.backend, Tokens().make("keeper"))
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            socket.recv(20)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "a token is asked for by now")
        for stream in (events, changes):
            assert b"".join(stream.iter_raw())  # to the end
    with connect(f"ws://127.0.0.1:{server.port}/context/atlas/stream", additional_headers=told(kept)) as socket:
        assert json.loads(socket.recv(5))["type"] == "subscribed"


@pytest.fixture
def revoked_meanwhile(store: Store, monkeypatch: pytest.MonkeyPatch) -> tuple[Bearers, str]:
    """What knows of a token, which is revoked, as it knows, after the token was first read and before that is told."""
    monkeypatch.setattr(bearers, "_CHECK_EVERY", 0.0)
    issued = run(store.backend, Tokens().make("scout"))
    known, ask = Bearers(store, None), store.driver.run
    run_once: list[Any] = []

    async def slow(asked: Any) -> Any:
        found = await ask(asked)
        if isinstance(found, bearers.Token) and not run_once:
            run_once.append(run(store.backend, Tokens().revoke(issued.token.id)))
            await known.required()
        return found

    monkeypatch.setattr(store.driver, "run", slow)
    return known, issued.text


def test_what_was_read_before_a_token_was_revoked_is_not_kept(revoked_meanwhile: tuple[Bearers, str]) -> None:
    known, text = revoked_meanwhile

    async def work() -> None:
        assert await known.required()
        await known.find(text)
        assert await known.find(text) is None

    asyncio.run(work())


def test_a_stream_ends_whose_token_is_revoked_while_it_is_read(revoked_meanwhile: tuple[Bearers, str]) -> None:
    known, text = revoked_meanwhile
    asyncio.run(asyncio.wait_for(known.refused(text), 20))
