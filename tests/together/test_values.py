"""Values of LangGraph's store, of a server's project and of the command line, as the others see them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

import sharedctx
from sharedctx import Store
from sharedctx.projects import key_of
from sharedctx.testing.clock import ManualClock

from .faces import INSTALLED, Face

pytest.importorskip("langgraph", reason="LangGraph is not installed: pip install 'sharedctx[langgraph]'")

from sharedctx_langgraph import ContextStore

EACH = pytest.mark.parametrize("face", INSTALLED, ids=lambda face: face.name)


@EACH
def test_langgraphs_items_are_everyones_entries(store: Store, face: Face) -> None:
    session = store.session("team")
    items, use = ContextStore(store, "team", participant="agent:graph"), face.on(session)
    items.put(("findings", "disk"), "worker-7", {"state": "full", "percent": 100})
    told = use("read", {"key": "findings/disk/worker-7"})
    assert "findings/disk/worker-7 v1" in told
    assert "agent:graph" in told
    assert '"percent": 100' in told or '"percent":100' in told
    use("write", {"key": "findings/disk/worker-7", "value": "free again", "expected_version": 1})
    item = items.get(("findings", "disk"), "worker-7")
    assert item is not None
    assert item.value == {"value": "free again"}
    items.put(("findings", "disk"), "worker-7", {"value": "and full again"})
    assert session.get("findings/disk/worker-7", full=True) == "and full again"
    assert "by agent:graph" in use("history", {"key": "findings/disk/worker-7"})


@EACH
def test_langgraphs_times_to_live_bind_everyone(store: Store, clock: ManualClock, face: Face) -> None:
    items, use = ContextStore(store, "team"), face.on(store.session("team"))
    items.put(("news",), "one", {"text": "brief"}, ttl=1)
    clock.advance(59)
    assert "brief" in use("read", {"key": "news/one"})
    clock.advance(1)
    assert "brief" not in use("read", {"key": "news/one"})
    assert items.get(("news",), "one") is None


@EACH
def test_a_servers_project_is_everyones_entry(store: Store, face: Face) -> None:
    testing = pytest.importorskip("sharedctx_server.testing", reason="the server is not installed")
    httpx = pytest.importorskip("httpx", reason="httpx is not installed")
    with testing.running(store) as server:
        body = {"context": {"currentTask": "mend the pump"}, "agentId": "agent:remote"}
        assert httpx.put(f"{server.url}/context/shop", json=body).json()["version"] == 1
        told = face.on(store.session("default"))("read", {"key": key_of("shop")})
    assert "mend the pump" in told
    assert "by agent:remote" in told


@EACH
def test_what_a_face_removes_is_gone_for_langgraph(store: Store, face: Face) -> None:
    items, use = ContextStore(store, "team"), face.on(store.session("team"))
    items.put(("a",), "b", {"n": 1})
    assert "deleted" in use("delete", {"key": "a/b"})
    assert asyncio.run(items.aget(("a",), "b")) is None
    items.put(("a",), "b", {"n": 2})
    entry = store.session("team").get_entry("a/b")
    assert entry is not None
    assert entry.version == 3  # a removal is a version too, so that nobody takes the new one for the old


@EACH
def test_the_command_line_sees_and_is_seen(tmp_path: Path, face: Face) -> None:
    address = str(tmp_path / "store")
    command = [sys.executable, "-c", "from sharedctx_cli import main; main()", "--path", address, "--session", "team"]

    def run(*words: str) -> bytes:
        return subprocess.run([*command, *words], capture_output=True, check=True, timeout=60).stdout

    run("--as", "agent:person", "put", "plan", "from the shell")
    with sharedctx.open(address) as store:
        use = face.on(store.session("team"))
        told = use("read", {"key": "plan"})
        assert "from the shell" in told
        assert "agent:person" in told
        use("write", {"key": "plan", "value": "from an agent", "expected_version": 1})
    assert run("get", "plan", "--full") == b"from an agent"
    assert [each["agent"] for each in json.loads(run("--json", "history", "plan"))] == [
        face.participant,
        "agent:person",
    ]
