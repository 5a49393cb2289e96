"""Commands that ask a running server."""

from __future__ import annotations

import http.server
import json
import socket
import threading
import time
from pathlib import Path

import pytest

from .shell import PATIENCE, Shell

pytest.importorskip("uvicorn", reason="uvicorn is not installed: pip install 'sharedctx[server]'")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def test_a_server_is_asked_by_both_spellings(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    started = shell.json("serve", "--background", "--port", str(port))
    try:
        assert started["url"] == url
        assert shell.json("status", "--server", url)["status"] == "healthy"
        monkeypatch.setenv("SHAREDCTX_SERVER", url)
        for words in (["status"], ["context", "status"], ["context", "--server", url, "status"]):
            assert shell.json(*words)["url"] == url
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")  # which is for other machines
        for words in (["health"], ["context", "health"]):
            assert shell.json(*words)["status"] == "healthy"
        for words in (["metrics"], ["context", "metrics"]):
            assert shell.json(*words)["activeContexts"] == 0
            assert b"# TYPE sharedctx_requests" in shell(*words)[1]
        assert shell.json("context", "stats")["contextSizes"] == []
        assert "store" in shell.json("stats"), "stats alone are the store's"
        shell("token", "make", "--for", "scout")
        end = time.monotonic() + PATIENCE
        while not (refused := shell("context", "stats"))[0]:
            assert time.monotonic() < end, "a server knows of the first token within a second"
        assert (refused[0], b"set SHAREDCTX_TOKEN (a valid bearer token" in refused[2]) == (5, True), refused
    finally:
        assert shell.json("serve", "stop", "--port", str(port)) == {"stopped": True}
    code, out, _ = shell("status", "--json")
    assert (code, json.loads(out)["error"]) == (1, "BACKEND_UNAVAILABLE")


def test_the_port_may_stand_before_what_is_done_with_its_server(shell: Shell) -> None:
    port = str(free_port())
    shell.json("serve", "--background", "--port", port)
    try:
        assert shell.json("serve", "--port", port, "status")["running"]
    finally:
        assert shell.json("serve", "--port", port, "stop") == {"stopped": True}
    assert json.loads(shell("serve", "--port", port, "status", "--json")[1])["running"] is False


@pytest.mark.parametrize("url", ["ftp://127.0.0.1:1", "http://127.0.0.1:port", "http://[::1", "http://", "http://:0"])
def test_an_address_of_no_server_is_told(shell: Shell, url: str) -> None:
    code, out, err = shell("status", "--server", url)
    assert (code, out, b"is no address of a server" in err) == (2, b"", True), err


@pytest.mark.parametrize("body", [b"<p>hello</p>", b"[]", b"{}"])
def test_what_is_no_context_server_is_told(shell: Shell, body: bytes) -> None:
    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever).start()
        try:
            for words in (["status"], ["context", "stats"], ["health"]):
                code, out, err = shell(*words, "--server", f"http://127.0.0.1:{other.server_port}")
                assert (code, out, b"is no context server" in err) == (1, b"", True), err
            code, _, err = shell("serve", "--port", str(other.server_port))
            assert (code, b"another program listens" in err) == (2, True), err
        finally:
            other.shutdown()
    assert not shell.path.exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--host", "0.0.0.0"],
        ["--host", "no.name.invalid"],
        ["--host", "127.0.0.1 "],
        ["--host", "a" * 70],
        ["--rate", "-1"],
        ["--priority", "a=nan"],
        ["--max-contexts", "0"],
    ],
)
def test_a_start_that_is_refused_makes_no_store(shell: Shell, words: list[str]) -> None:
    code, out, err = shell("serve", "--port", str(free_port()), *words)
    assert (code, out) == (2, b""), err
    assert words[0][2:].encode() in err or words[1].encode() in err
    assert not shell.path.exists()


def test_a_server_that_cannot_listen_does_not_say_that_it_does(shell: Shell) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # taken by one that does not listen
        code, out, err = shell("serve", "--port", str(held.getsockname()[1]))
    assert (code, out, b"choose one by --port" in err) == (2, b"", True), err
