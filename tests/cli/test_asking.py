"""Commands that ask a running server."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from .shell import Shell

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
        for words in (["health"], ["context", "health"]):
            assert shell.json(*words)["status"] == "healthy"
        for words in (["metrics"], ["context", "metrics"]):
            assert shell.json(*words)["activeContexts"] == 0
            assert b"# TYPE sharedctx_requests" in shell(*words)[1]
        assert shell.json("context", "stats")["contextSizes"] == []
        assert "store" in shell.json("stats"), "stats alone are the store's"
        shell("token", "make", "--for", "scout")
        code, _, err = shell("context", "stats")
        assert (code, b"set SHAREDCTX_TOKEN (a valid bearer token" in err) == (5, True), err
    finally:
        assert shell.json("serve", "stop", "--port", str(port)) == {"stopped": True}
    code, out, _ = shell("status", "--json")
    assert (code, json.loads(out)["error"]) == (1, "BACKEND_UNAVAILABLE")
