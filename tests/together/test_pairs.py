"""Every ordered pair of integrations on one session: keys, versions, references, participants, expiry, conflicts."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx import SharedContext, Store
from sharedctx.testing.clock import ManualClock

from .faces import INSTALLED, LINES, Face, text

PAIRS = [pytest.param(*pair, id="-".join(face.name for face in pair)) for pair in product(INSTALLED, repeat=2)]


@pytest.mark.parametrize(("writer", "reader"), PAIRS)
def test_what_one_writes_the_other_reads_expands_and_follows(store: Store, writer: Face, reader: Face) -> None:
    session = store.session("together")
    write, read = writer.on(session), reader.on(session)
    key = "team/findings"
    write("write", {"key": key, "value": "a draft"})
    assert "a draft" in read("read", {"key": key})
    assert "v2" in write("write", {"key": key, "value": text(writer.name), "expected_version": 1})

    view = read("read", {"key": key, "max_tokens": 200})
    assert f"{key} v2" in view
    assert f"line 1000 of {writer.name}" not in view
    assert 'expand("team/findings", "v2:' in view
    assert f"line 1000 of {writer.name}" in read("expand", {"key": key, "ref": "v2:lines:1000-1001"})
    assert "a draft" in read("expand", {"key": key, "ref": "v1:all"})
    assert f"line {LINES} of" in read("search", {"query": f"{LINES}"})
    assert key in read("list", {"prefix": "team/"})
    history = read("history", {"key": key})
    assert history.count(f"by {writer.participant}") == 2
    assert [entry.agent for entry in session.history(key)] == [writer.participant] * 2


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_the_one_who_read_an_older_version_is_refused(store: Store, first: Face, second: Face) -> None:
    session = store.session("together")
    one, two = first.on(session), second.on(session)
    one("write", {"key": "plan", "value": "one", "expected_version": 0})
    refused = two("write", {"key": "plan", "value": "two", "expected_version": 0})
    assert "VERSION_CONFLICT" in refused or "version 1" in refused
    assert first.participant in refused
    assert session.get("plan") == "one"


@pytest.mark.parametrize(("writer", "reader"), PAIRS)
def test_what_expires_is_gone_for_all(store: Store, clock: ManualClock, writer: Face, reader: Face) -> None:
    brief = SharedContext("together", store=store, ttl=60)
    writer.on(brief)("write", {"key": "news", "value": "short-lived"})
    read = reader.on(store.session("together"))
    clock.advance(59)
    assert "short-lived" in read("read", {"key": "news"})
    clock.advance(1)
    assert "short-lived" not in read("read", {"key": "news"})
    assert "news  v1" not in read("list", {})


@pytest.mark.parametrize(("writer", "reader"), [pair for pair in PAIRS if pair.values[0] is not pair.values[1]])
def test_a_reader_is_told_that_what_it_read_has_changed(store: Store, writer: Face, reader: Face) -> None:
    session = store.session("together")
    write, read = writer.on(session), reader.on(session)
    write("write", {"key": "plan", "value": "one"})
    write("write", {"key": "other", "value": "else"})
    read("read", {"key": "plan"})
    write("write", {"key": "plan", "value": "two"})
    told = read("read", {"key": "other"})
    assert f"plan v1 -> v2 by {writer.participant}" in told


def test_all_in_processes_of_their_own(tmp_path: Path, fork_server: Callable[[str], Any]) -> None:
    address = str(tmp_path / "store")
    actor = Path(__file__).with_name("actor.py")

    def run(deed: str) -> dict[str, dict[str, list[str]]]:
        servers = {face.name: fork_server(f"import sharedctx, {face.package or 'sharedctx'}") for face in INSTALLED}
        running = {name: server.start(actor, name, deed, address, "together") for name, server in servers.items()}
        return {name: json.loads(process.finish().splitlines()[-1]) for name, process in running.items()}

    run("write")
    told = run("read")
    for reader, writer in product(INSTALLED, repeat=2):
        view, last = told[reader.name][f"by/{writer.name}"]
        assert f"by/{writer.name} v2  by {writer.participant}" in view
        assert f"line {LINES} of {writer.name}" in last
    with sharedctx.open(address) as store:
        session = store.session("together")
        for face in INSTALLED:
            assert session.get(f"by/{face.name}", full=True) == text(face.name)
            assert [entry.agent for entry in session.history(f"by/{face.name}")] == [face.participant] * 2
