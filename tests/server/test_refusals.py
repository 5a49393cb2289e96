"""Bad input, foreign callers, limits: each is refused clearly and loses nothing."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import struct
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from websockets.sync.client import connect

import sharedctx
from sharedctx.callers.bearers import Tokens
from sharedctx.errors import ConfigError
from sharedctx.projects import ProjectSettings
from sharedctx.testing import ManualClock
from sharedctx_server import serve
from sharedctx_server.testing import Running, running

TOKEN = "a token of sixteen"


def told(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"context":1}',
        b'{"context":{"a":NaN}}',
        b'{"context":{"a":1e999}}',
        b'{"context":{"a":"\\ud800"}}',
        b'{"context":{"a":1,"a":2}}',
        b'{"context":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
        b'{"context":{},"more":1}',
        b'{"context":{},"expectedVersion":"1"}',
        b'{"context":{},"agentId":""}',
        b'{"context":{"a":"\xff"}}',
        b"\x80\x04\x95\x01\x00\x00\x00\x00\x00\x00\x00N.",
    ],
)
def test_bodies_that_make_no_sense_are_refused(server: Running, http: httpx.Client, body: bytes) -> None:
    http.put("/context/atlas", json={"context": {"kept": 1}})
    found = http.put("/context/atlas", content=body)
    assert found.status_code == 400
    assert found.json()["statusCode"] == 400
    assert http.get("/context/atlas").json()["context"] == {"kept": 1}


@pytest.mark.parametrize(
    "context",
    [
        {"lc": 1, "type": "constructor", "id": ["os", "system"], "kwargs": {}},
        {"__reduce__": ["os.system", ["true"]], "py/object": "os.system"},
        {
            "n": 2**70,
            "small": -(2**70),
            "float": 1e-300,
            "text": "\u0000\u202e<script>alert(1)</script>\u001b]0;x\u0007",
        },
        {"": {"": ""}, "__proto__": {"a": 1}},
    ],
)
def test_odd_values_are_data_and_come_back_as_they_were(http: httpx.Client, context: dict[str, Any]) -> None:
    http.put("/context/atlas", content=json.dumps({"context": context}))
    assert http.get("/context/atlas").json()["context"] == context


def test_compressed_and_oversized_and_endless_bodies_are_refused() -> None:
    with running(projects=ProjectSettings(max_bytes=1000)) as server, httpx.Client(base_url=server.url) as http:
        packed = gzip.compress(b'{"context":{}}')
        headers = {"content-encoding": "gzip"}
        assert http.put("/context/a", content=packed, headers=headers).status_code == 415
        assert http.put("/context/a", json={"context": {"a": "x" * 5000}}).status_code == 413

        with socket.create_connection(("127.0.0.1", server.port), 10) as endless:
            head = b"PUT /context/a HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n"
            endless.sendall(head + b"3e8\r\n" + b" " * 1000 + b"\r\n")
            with contextlib.suppress(ConnectionError):  # closed before all was sent
                for _ in range(100):
                    endless.sendall(b"3e8\r\n" + b" " * 1000 + b"\r\n")
            with contextlib.suppress(ConnectionError):
                assert b" 413 " in endless.recv(100)
        assert http.get("/context/a").status_code == 404
        assert http.put("/context/a", json={"context": {"a": "x" * 900}}).status_code == 200


def test_a_caller_that_never_finishes_holds_nobody_up(server: Running, http: httpx.Client) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.sendall(b"PUT /context/a HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000\r\n\r\n{")
        assert http.put("/context/a", json={"context": {"a": 1}}).status_code == 200


def answered(server: Running, *pieces: bytes) -> bytes:
    """What a server says until it closes the connection; nothing where it closes before it has read all."""
    said = b""
    with socket.create_connection(("127.0.0.1", server.port), 10) as caller, contextlib.suppress(ConnectionError):
        for piece in pieces:
            caller.sendall(piece)
        while more := caller.recv(1 << 16):
            said += more
    return said


def test_callers_that_go_amid_a_large_reply_are_no_failure(
    server: Running, http: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    http.put("/context/atlas", json={"context": {"a": "x" * 1_000_000}})
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port)) as caller:
            caller.sendall(b"GET /context/atlas HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)
            caller.recv(100)
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert http.get("/health").status_code == 200
    assert not [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


def test_what_callers_do_not_send_is_waited_for_no_longer_than_idle() -> None:
    put = b"PUT /context/a HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000\r\n\r\n{"
    with running(idle=0.3) as server, httpx.Client(base_url=server.url) as http:
        assert answered(server) == b""
        assert answered(server, b"GET /health HTTP/1.1\r\nhost:").startswith(b"HTTP/1.1 408 ")
        assert answered(server, put).startswith(b"HTTP/1.1 408 ")
        assert answered(server, put.replace(b"1000", b"99999999")).count(b"HTTP/1.1") == 1  # refused before
        assert http.get("/context/a").status_code == 404

        with socket.create_connection(("127.0.0.1", server.port), 10) as slow:
            body = b'{"context":{"a":1}}'
            slow.sendall(put[:-1].replace(b"1000", str(len(body)).encode()))
            for at in range(0, len(body), 5):  # longer than idle in all
                slow.sendall(body[at : at + 5])
                until = time.monotonic() + 0.15
                while time.monotonic() < until:
                    assert http.get("/health").status_code == 200
            assert slow.recv(1 << 16).startswith(b"HTTP/1.1 200 ")


def test_a_head_that_is_too_large_is_refused_however_it_comes(server: Running, http: httpx.Client) -> None:
    for header in (b"x: " + b"y" * 70_000, b"x: y\r\n" * 17_500, b"x: " + b"y" * 3_000_000):
        whole = b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n" + header + b"\r\n\r\n"
        said = answered(server, whole)
        assert said.startswith(b"HTTP/1.1 431 ") or (len(whole) > 100_000 and said == b"")
        assert b" 200 " not in answered(server, *(whole[at : at + 5000] for at in range(0, len(whole), 5000)))
    assert http.get("/health", headers={"x": "y" * 50_000}).status_code == 200


@pytest.mark.parametrize("path", ["/context/atlas", "/api/entries", "/", "/health"])
def test_a_page_that_was_rebound_to_this_server_is_refused(http: httpx.Client, path: str) -> None:
    found = http.get(path, headers={"host": "evil.example.org"})
    assert found.status_code == 421
    assert "--allow-host" in found.json()["error"]


def test_pages_of_other_origins_may_not_call(server: Running, http: httpx.Client) -> None:
    foreign = {"origin": "https://evil.example.org"}
    assert http.put("/context/atlas", json={"context": {}}, headers=foreign).status_code == 403
    assert http.get("/health", headers=foreign).status_code == 403
    assert http.get("/health", headers={"origin": server.url}).status_code == 200
    with pytest.raises(websockets.InvalidStatus) as caught:
        connect(f"ws://127.0.0.1:{server.port}/context/atlas/stream?agentId=a", origin="https://evil.example.org")  # type: ignore[arg-type]
    assert caught.value.response.status_code == 403
    assert http.get("/context/atlas").status_code == 404


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "https://[v]", "://"])
def test_an_origin_that_is_no_address_is_refused_like_any_other(http: httpx.Client, origin: str) -> None:
    refused = http.get("/context/atlas", headers={"origin": origin})
    assert refused.status_code == 403
    assert "--allow-origin" in refused.json()["error"]


def test_an_origin_that_is_allowed_may_call() -> None:
    origin = "https://app.example.org"
    with running(allow_origins=(origin,)) as server, httpx.Client(base_url=server.url) as http:
        asked = {"origin": origin, "access-control-request-method": "PUT"}
        before = http.options("/context/atlas", headers=asked)
        assert before.headers["access-control-allow-origin"] == origin
        assert http.get("/health", headers={"origin": origin}).headers["access-control-allow-origin"] == origin


def test_without_the_right_token_nothing_is_said() -> None:
    with running(token=TOKEN) as server, httpx.Client(base_url=server.url) as http:
        for headers in ({}, told("wrong"), told(TOKEN + "x"), {"authorization": TOKEN}, {"authorization": "Basic x"}):
            for path in ("/context/atlas", "/metrics", "/api/entries", "/openapi.json", "/nothing"):
                found = http.get(path, headers=headers)
                assert found.status_code == 401
                assert "www-authenticate" in found.headers
        assert http.get("/health").status_code == http.get("/ready").status_code == 200
        with pytest.raises(websockets.InvalidStatus) as caught:
            connect(f"ws://127.0.0.1:{server.port}/context/atlas/stream?agentId=a")
        assert caught.value.response.status_code == 401
        protocols = ["sharedctx", f"bearer.{TOKEN.replace(' ', '')}"]
        with pytest.raises(websockets.InvalidStatus):
            connect(f"ws://127.0.0.1:{server.port}/context/atlas/stream?agentId=a", subprotocols=protocols)  # type: ignore[arg-type]


def test_a_token_speaks_for_its_participant_alone(tmp_path: Path) -> None:
    clock = ManualClock()
    with sharedctx.open(tmp_path, clock=clock) as store, running(store) as server:
        ctx = store.session()
        mine = ctx.run(Tokens().make("scout"))
        brief = ctx.run(Tokens().make("coder", ttl=60))
        ctx.grant("scout", read=["project/open/*"], write=["project/open/*"])
        with httpx.Client(base_url=server.url, headers=told(mine.text)) as http:
            assert http.put("/context/open", json={"context": {"a": 1}}).status_code == 200
            assert ctx.history("project/open/context")[0].agent == "scout"
            assert http.put("/context/open", json={"context": {}, "agentId": "other"}).status_code == 403
            assert http.get("/context/open?agentId=other").status_code == 403
            assert http.put("/context/secret", json={"context": {}}).status_code == 403
            ctx.put("project/secret/context", {"a": 1})
            hidden, absent = http.get("/context/secret"), http.get("/context/none")
            assert hidden.status_code == absent.status_code == 404
            assert hidden.json()["error"].replace("secret", "none") == absent.json()["error"]
            assert http.get("/context/secret?since=1").status_code == 404
            assert http.get("/context/secret/value?name=a").status_code == 404
            assert http.get("/context/secret/optimized?maxTokens=99").status_code == 404
            assert http.get("/context/secret/stream").status_code == 404
            assert http.post("/context/open/rollback", json={"version": 1}).status_code == 403
            assert http.delete("/context/open").status_code == 403
            names = [each["projectId"] for each in http.get("/metrics").json()["contextSizes"]]
            assert names == ["open"]
        with (
            connect(
                f"ws://127.0.0.1:{server.port}/context/secret/stream?agentId=scout", additional_headers=told(mine.text)
            ) as stream,
            pytest.raises(websockets.ConnectionClosedError),
        ):
            stream.recv(5)
        with connect(
            f"ws://127.0.0.1:{server.port}/context/open/stream",
            subprotocols=["sharedctx", f"bearer.{mine.text}"],  # type: ignore[list-item]
        ) as stream:
            assert json.loads(stream.recv(5))["context"] == {"a": 1}
        assert httpx.get(f"{server.url}/api/sessions", headers=told(brief.text)).status_code == 200
        clock.advance(61)
        assert httpx.get(f"{server.url}/api/sessions", headers=told(brief.text)).status_code == 401


def test_other_machines_may_call_only_with_a_token(tmp_path: Path) -> None:
    for store in (tmp_path / "new", tmp_path):
        with pytest.raises(ConfigError, match="no token is set"):
            serve(store, host="0.0.0.0", port=0)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match="cannot be listened on"):
        serve(tmp_path / "new", port=taken.getsockname()[1])
    assert not (tmp_path / "new").exists()


def test_a_flood_is_slowed_down_and_told_when_to_come_back() -> None:
    with running(rate=5) as server, httpx.Client(base_url=server.url) as http:
        found = [http.get("/context/atlas").status_code for _ in range(40)]
        assert found[:5] == [404] * 5
        assert 429 in found
        refused = next(reply for _ in range(40) if (reply := http.get("/context/atlas")).status_code == 429)
        assert int(refused.headers["retry-after"]) >= 1


@pytest.mark.parametrize("odd", ['"x"', "-1", "true", "1.5"])
def test_a_stream_outlives_a_version_that_is_none(server: Running, odd: str) -> None:
    with connect(f"ws://127.0.0.1:{server.port}/context/atlas/stream?agentId=a") as stream:
        stream.recv(5)
        stream.send(f'{{"type":"subscribe_to_changes","fromVersion":{odd}}}')
        assert "fromVersion" in json.loads(stream.recv(5))["error"]


def test_there_are_no_more_streams_than_are_allowed() -> None:
    with running(max_streams=2) as server, httpx.Client(base_url=server.url) as http:
        where = f"ws://127.0.0.1:{server.port}/context/atlas/stream?agentId="
        with connect(where + "a") as one, connect(where + "b") as two:
            one.recv(5)
            two.recv(5)
            with connect(where + "c") as third:
                with pytest.raises(websockets.ConnectionClosedError) as caught:
                    third.recv(5)
                assert caught.value.rcvd is not None
                assert caught.value.rcvd.code == 1013
            assert http.get("/context/atlas/stream").status_code == 503
            assert http.get("/api/events").status_code == 503


def test_a_request_that_is_sent_twice_is_done_once(http: httpx.Client) -> None:
    same = {"idempotency-key": "the-first"}
    first = http.post("/context/atlas/diff", json={"added": {"a": 1}}, headers=same).json()
    http.post("/context/atlas/diff", json={"added": {"b": 1}})
    again = http.post("/context/atlas/diff", json={"added": {"a": 1}}, headers=same).json()
    assert (first["version"], again["version"]) == (1, 1)
    assert http.get("/context/atlas").json()["version"] == 2
    odd = http.post("/context/atlas/diff", json={"added": {"a": 1}}, headers={"idempotency-key": "a b"})
    assert odd.status_code == 400
