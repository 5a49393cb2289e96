"""Who may read and write which notes, through whichever face."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import sharedctx
from sharedctx.errors import Forbidden, InvalidValue, KeyNotFound
from sharedctx.notes import SharedContextStore
from sharedctx.testing import ManualClock


@pytest.fixture
def backing() -> Iterator[sharedctx.Store]:
    with sharedctx.open("memory://", clock=ManualClock(1_700_000_000.0)) as store:
        yield store


@pytest.fixture
def notes(backing: sharedctx.Store) -> SharedContextStore:
    return SharedContextStore("s1", store=backing)


def test_patterns_say_who_may_read_and_write(notes: SharedContextStore) -> None:
    notes.write("secret", "v", "lead", readable_by=["orchestrator", "subagent:audit:*"], writable_by=["orchestrator"])
    lead, audit, other = (notes.bind(name) for name in ("orchestrator", "subagent:audit:7", "subagent:code"))
    assert audit.read("secret")["value"] == "v"
    with pytest.raises(KeyNotFound):
        other.read("secret")
    assert other.list_keys() == {"keys": [], "total_size_tokens": 0}
    with pytest.raises(KeyNotFound):
        other.read_history("secret")
    for call in (lambda: audit.write("secret", "w"), lambda: audit.delete("secret")):
        with pytest.raises(Forbidden, match="'subagent:audit:7'"):
            call()
    lead.write("secret", "w")
    with pytest.raises(KeyNotFound):
        other.read("secret")
    lead.write("secret", "open", readable_by=["*"])
    assert other.read("secret")["written_by"] == "orchestrator"
    with pytest.raises(InvalidValue):
        lead.write("secret", "w", readable_by="orchestrator")


def test_grants_of_the_session_bind_its_notes(backing: sharedctx.Store, notes: SharedContextStore) -> None:
    backing.session("s1").grant("reader", read=["notes/public_*"])
    notes.write("public_a", "v")
    notes.write("private", "v")
    reader = notes.bind("reader")
    assert [note["key"] for note in reader.list_keys()["keys"]] == ["public_a"]
    with pytest.raises(KeyNotFound):
        reader.read("private")
    with pytest.raises(Forbidden):
        reader.write("public_a", "w")


def test_a_bound_store_speaks_for_one_participant(notes: SharedContextStore) -> None:
    me = notes.bind("subagent:research")
    assert me.write("a", "v")["written_by"] == "subagent:research"
    with pytest.raises(Forbidden):
        me.write("a", "v", "somebody")
    with pytest.raises(Forbidden):
        me.bind("somebody")
    with pytest.raises(Forbidden):
        me.archive()


def test_a_deleted_note_keeps_its_reach_and_its_history_its_secret(notes: SharedContextStore) -> None:
    notes.write("secret", "the password", readable_by=["orchestrator"], writable_by=["orchestrator"])
    notes.snapshot("a")
    notes.delete("secret")
    other = notes.bind("subagent:x")
    with pytest.raises(KeyNotFound):
        other.read_history("secret")
    assert other.read_snapshot("a") == {"label": "a", "at": notes.snapshots()[0]["at"], "entries": [], "missing": []}
    assert [each["versions"] for each in other.snapshots()] == [{}]
    assert other.snapshot("b")["versions"] == {}
    with pytest.raises(Forbidden):
        other.write("secret", "mine")


def test_the_reach_of_a_note_binds_every_face(backing: sharedctx.Store, notes: SharedContextStore) -> None:
    notes.write("secret", "the password", readable_by=["orchestrator"], writable_by=["orchestrator"])
    agent = backing.session("s1").bind("subagent:x")
    assert agent.get("notes/secret") is None
    assert agent.keys() == []
    assert agent.history("notes/secret") == []
    assert agent.search("password") == []
    assert agent.changes() == []
    assert agent.window(200).text == ""
    with pytest.raises(Forbidden):
        agent.put("notes/secret", "pwned")
    reader = backing.session("s1").bind("orchestrator")
    assert reader.get("notes/secret") == "the password"
    assert reader.keys() == ["notes/secret"]
    assert [hit.key for hit in reader.search("password")] == ["notes/secret"]
