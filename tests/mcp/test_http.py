"""The server over streamable HTTP: clients, names, pages, tokens, and its end."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import pytest

import sharedctx
from sharedctx.backends.steps import run
from sharedctx.callers.bearers import Tokens
from sharedctx.errors import ConfigError
from sharedctx_mcp import McpSettings

HEADERS = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
PATIENCE = 20


IMPATIENT = """
import sys, sharedctx
from sharedctx_mcp import McpSettings
from sharedctx_mcp.http import serve_http
with sharedctx.open(sys.argv[1]) as store:
    serve_http(store.session(), McpSettings(port=0, idle=0.3), ready=lambda url: print(url, flush=True))
"""


def serving(wire: Any, *arguments: str) -> AbstractContextManager[tuple[str, subprocess.Popen[bytes]]]:
    return started(wire.command("--http", "--port", "0", *arguments))


@contextmanager
def started(command: list[str]) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        url = process.stdout.readline().decode().strip()
        assert url, process.stderr.read().decode()
        yield url, process
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def _post(url: str, message: Any, **headers: str) -> SimpleNamespace:
    host, _, rest = url.removeprefix("http://").partition("/")
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    with closing(http.client.HTTPConnection(host, timeout=PATIENCE)) as connection:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST", f"/{rest}", body, {**HEADERS, **named})
        answer = connection.getresponse()
        text = answer.read().decode()
    return SimpleNamespace(status=answer.status, text=text, header=answer.getheader)


async def test_clients_work_over_http(wire: Any, seeded: str, era: str) -> None:
    with serving(wire, "--path", seeded, "--session", "team") as (url, _):
        async with (
            wire.connected((url, {}), era, name="one") as one,
            wire.connected((url, {}), era, name="two") as two,
        ):
            assert (await one.call("context_read", key="plan")).text == "plan v1  by planner\nfirst"
            await two.listen("context://team/plan")
            written = await one.call("context_write", key="plan", value="second", expected_version=1)
            assert not written.failed
            await two.told_of("context://team/plan")
            assert (await two.read("context://team/plan"))["text"] == "second"
    with sharedctx.open(seeded) as store:
        assert store.session("team").get_entry("plan").agent == "one"


def test_a_signal_ends_the_server_and_its_open_streams(wire: Any, path: str) -> None:
    with serving(wire, "--path", path) as (url, process):
        session = _post(url, wire.initialize).header("mcp-session-id")
        _post(url, wire.initialized, mcp_session_id=session)
        with closing(http.client.HTTPConnection(url.split("/")[2], timeout=PATIENCE)) as connection:
            connection.request("GET", "/mcp", headers={"accept": "text/event-stream", "mcp-session-id": session})
            stream = connection.getresponse()
            assert stream.status == 200
            process.terminate()
            stream.read()
        assert process.wait(timeout=PATIENCE) == 0
        assert process.stderr.read() == b""


def test_foreign_names_and_pages_are_refused(wire: Any, path: str) -> None:
    with serving(wire, "--path", path, "--allow-host", "tools.local", "--allow-origin", "https://app.example.org") as (
        url,
        _,
    ):
        assert _post(url, wire.initialize).status == 200
        assert _post(url, wire.initialize, host="evil.example.org").status == 421
        assert _post(url, wire.initialize, host="tools.local").status == 200
        assert _post(url, wire.initialize, origin="https://evil.example.org").status == 403
        assert _post(url, wire.initialize, origin="null").status == 403
        assert _post(url, wire.initialize, origin="http://[").status == 403
        assert _post(url, wire.initialize, origin="https://app.example.org").status == 200
        assert _post(url.removesuffix("mcp") + "other", wire.initialize).status == 404
        assert _post(url, b"{" * 10).status == 400
        assert _post(url, b'{"x":"' + b"y" * 5_000_000 + b'"}').status == 413


def test_a_head_without_an_end_is_not_waited_for(wire: Any, path: str) -> None:
    with serving(wire, "--path", path) as (url, _):
        host, _, port = url.split("/")[2].partition(":")
        sent, most = 0, 2**25
        with closing(socket.create_connection((host, int(port)), PATIENCE)) as endless, suppress(OSError):
            endless.sendall(b"POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ")
            while sent < most:
                endless.sendall(b"y" * 2**16)
                sent += 2**16
        assert sent < most
        assert _post(url, wire.initialize).status == 200


def test_what_clients_do_not_send_is_waited_for_no_longer_than_idle(wire: Any, path: str) -> None:
    head = b"POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\n"
    with started([sys.executable, "-c", IMPATIENT, path]) as (url, _):
        place = (url.split("/")[2].split(":")[0], int(url.split("/")[2].split(":")[1]))

        def answered(*pieces: bytes) -> bytes:
            """What comes back until the server closes, while the pieces go out one by one."""
            with closing(socket.create_connection(place, PATIENCE)) as slow:
                for piece in pieces:
                    slow.settimeout(PATIENCE)
                    slow.sendall(piece)
                    slow.settimeout(0.05)
                    with suppress(TimeoutError):
                        return slow.recv(1 << 16)
                slow.settimeout(PATIENCE)
                return slow.recv(1 << 16)

        session = _post(url, wire.initialize).header("mcp-session-id")
        _post(url, wire.initialized, mcp_session_id=session)
        with closing(http.client.HTTPConnection(*place, timeout=PATIENCE)) as connection:
            connection.request("GET", "/mcp", headers={"accept": "text/event-stream", "mcp-session-id": session})
            stream = connection.getresponse()
            assert answered() == b""
            assert answered(head).startswith(b"HTTP/1.1 408 ")
            assert answered(*((head + b"x: " + b"y" * 1000)[at : at + 1] for at in range(1000))).startswith(
                b"HTTP/1.1 408 "
            )
            assert answered(head + b"content-length: 1000\r\n\r\n{").startswith(b"HTTP/1.1 408 ")
            body = json.dumps(wire.initialize).encode()
            more = b"".join(b"%b: %b\r\n" % (name.encode(), value.encode()) for name, value in HEADERS.items())
            whole = head + more + b"content-length: %d\r\n\r\n" % len(body)
            size = len(body) // 12 + 1  # longer than idle in all
            pieces = [body[at : at + size] for at in range(0, len(body), size)]
            assert answered(whole, *pieces).startswith(b"HTTP/1.1 200 ")
            assert connection.sock is not None
            connection.sock.settimeout(0.05)
            with pytest.raises(TimeoutError):  # a reply takes as long as it takes
                list(iter(stream.read1, b""))


def test_what_the_sdk_would_change_or_not_read_is_refused_by_its_id(wire: Any, path: str) -> None:
    """Infinity became null on the way: what is stored would not be what was sent."""
    call = b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"context_write","arguments":%b}}'
    with serving(wire, "--path", path) as (url, _):
        for value in (
            b'{"key":"k","value":{"a":1e999}}',
            b'{"key":"k","value":[NaN]}',
            b'{"key":"k","value":"\\ud83d"}',
        ):
            refused = _post(url, call % value)
            assert refused.status == 400
            told = json.loads(refused.text)
            assert told["id"] == 7
            assert "cannot be read" in told["error"]["message"]
        assert _post(url, b"\xff\xfe").status == 400
        assert _post(url, b"").status == 400
        assert _post(url, wire.initialize).status == 200
    with sharedctx.open(path) as store:
        assert store.session("default").get_entry("k") is None


def test_tokens_say_who_acts_and_keep_sessions_apart(wire: Any, seeded: str) -> None:
    with sharedctx.open(seeded) as store:
        store.session("team").grant("intern", read=["open/*"])
        boss = run(store.backend, Tokens().make("boss")).text
        intern = run(store.backend, Tokens().make("intern")).text
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "context_read", "arguments": {}}}
    call["params"]["arguments"] = {"key": "plan"}
    with serving(wire, "--path", seeded, "--session", "team") as (url, _):
        refused = _post(url, wire.initialize)
        assert (refused.status, refused.header("www-authenticate")) == (401, 'Bearer realm="sharedctx"')
        assert _post(url, wire.initialize, authorization="Bearer sctx_0123456789ab_wrong").status == 401
        begun = {name: _post(url, wire.initialize, authorization=f"Bearer {name}") for name in (boss, intern)}
        session = {name: answer.header("mcp-session-id") for name, answer in begun.items()}
        answers = {}
        for name in (boss, intern):
            own = {"authorization": f"Bearer {name}", "mcp_session_id": session[name]}
            assert _post(url, wire.initialized, **own).status == 202
            answers[name] = _post(url, call, **own).text
        assert "first" in answers[boss]
        assert "KEY_NOT_FOUND" in answers[intern]
        assert _post(url, call, authorization=f"Bearer {intern}", mcp_session_id=session[boss]).status == 404


def test_a_bound_server_refuses_the_token_of_another(wire: Any, seeded: str) -> None:
    with sharedctx.open(seeded) as store:
        other = run(store.backend, Tokens().make("intern")).text
    with serving(wire, "--path", seeded, "--session", "team", "--as", "boss") as (url, _):
        shown = {"authorization": f"Bearer {other}"}
        shown["mcp_session_id"] = _post(url, wire.initialize, **shown).header("mcp-session-id")
        _post(url, wire.initialized, **shown)
        answer = _post(url, {"jsonrpc": "2.0", "id": 2, "method": "resources/list"}, **shown).text
    assert "FORBIDDEN: this server speaks for 'boss'" in answer


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("page", "5"), ("page", 0), ("pace", float("nan")), ("drain", 1e308), ("port", 0.5), ("port", "3004")],
)
def test_settings_that_are_no_numbers_are_refused_by_name(name: str, wrong: Any) -> None:
    with pytest.raises(ConfigError, match=name):
        McpSettings(**{name: wrong})
