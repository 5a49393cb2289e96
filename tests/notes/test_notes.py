"""Notes: four verbs with versions, limits and rights, told in the words of agents."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import sharedctx
from sharedctx.errors import (
    BudgetExceeded,
    Forbidden,
    InvalidKey,
    InvalidValue,
    KeyNotFound,
    SessionArchived,
    ValueTooLarge,
    VersionConflict,
)
from sharedctx.notes import SharedContextStore
from sharedctx.testing import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_700_000_000.25)


@pytest.fixture
def backing(clock: ManualClock) -> Iterator[sharedctx.Store]:
    with sharedctx.open("memory://", clock=clock) as store:
        yield store


@pytest.fixture
def notes(backing: sharedctx.Store) -> SharedContextStore:
    return SharedContextStore("s1", store=backing)


def test_a_note_is_written_listed_read_and_deleted(notes: SharedContextStore) -> None:
    assert notes.list_keys() == {"keys": [], "total_size_tokens": 0}
    written = {"key": "scope", "version": 1, "written_by": "orchestrator", "written_at": "2023-11-14T22:13:20.250000Z"}
    assert notes.write("scope", "the parser, not the lexer", "orchestrator") == written
    metadata = {**written, "value_size_tokens": 6}
    assert notes.list_keys() == {"keys": [metadata], "total_size_tokens": 6}
    assert notes.read("scope") == {**metadata, "value": "the parser, not the lexer"}
    assert notes.delete("scope") == {"deleted": "scope", "previous_version": 1}
    with pytest.raises(KeyNotFound, match="'scope'"):
        notes.read("scope")
    with pytest.raises(KeyNotFound, match="'scope'"):
        notes.delete("scope")


def test_a_deleted_key_goes_on_counting_and_keeps_its_history(notes: SharedContextStore) -> None:
    notes.write("plan", "a", "x")
    notes.write("plan", "b", "y")
    assert notes.delete("plan")["previous_version"] == 2
    assert notes.write("plan", "c")["version"] == 4
    versions = notes.read_history("plan")["versions"]
    assert [(line["version"], line.get("value"), line.get("deleted", False)) for line in versions] == [
        (4, "c", False),
        (3, None, True),
        (2, "b", False),
        (1, "a", False),
    ]
    assert [line["version"] for line in notes.read_history("plan", limit=2)["versions"]] == [4, 3]


@pytest.mark.parametrize("key", ["", "k\n", "K", "a-b", "../evil", "a/b", "x" * 65, "ä", None, 3])
def test_a_key_is_1_to_64_of_a_narrow_alphabet(notes: SharedContextStore, key: Any) -> None:
    for call in (lambda: notes.write(key, "v"), lambda: notes.read(key), lambda: notes.delete(key)):
        with pytest.raises(InvalidKey):
            call()
    assert notes.list_keys()["keys"] == []


@pytest.mark.parametrize("value", [None, 3, b"bytes", ["a"], {"a": 1}])
def test_a_value_is_text(notes: SharedContextStore, value: Any) -> None:
    with pytest.raises(InvalidValue):
        notes.write("key", value)


def test_sizes_are_a_quarter_of_the_characters_with_limits_and_a_warning(notes: SharedContextStore) -> None:
    assert "warning" not in notes.write("a", "x" * 3199)
    assert "800 of 1000" in notes.write("a", "x" * 3200)["warning"]
    notes.write("a", "x" * 4003)
    with pytest.raises(ValueTooLarge, match="1001 tokens"):
        notes.write("a", "x" * 4004)
    notes.write("empty", "")
    assert notes.read("empty")["value_size_tokens"] == 1
    assert notes.read("a")["version"] == 3


def test_the_session_is_full_at_its_budget_and_an_overwritten_value_does_not_count(notes: SharedContextStore) -> None:
    for n in range(10):
        notes.write(f"k{n}", "x" * 4000)
    with pytest.raises(BudgetExceeded, match="'one_more'"):
        notes.write("one_more", "")
    assert notes.write("k0", "y" * 4000)["version"] == 2
    notes.write("k0", "short")
    notes.write("one_more", "fits")
    assert notes.list_keys()["total_size_tokens"] == 9002


def test_limits_and_counter_can_be_chosen(backing: sharedctx.Store) -> None:
    class Words:
        name = "words"

        def __call__(self, text: str) -> int:
            return len(text.split())

    notes = SharedContextStore("s", store=backing, max_value_tokens=3, max_store_tokens=4, count_tokens=Words())
    notes.write("a", "one two three")
    with pytest.raises(ValueTooLarge):
        notes.write("b", "one two three four")
    with pytest.raises(BudgetExceeded):
        notes.write("b", "one two")


def test_notes_alone_count_for_their_budget(backing: sharedctx.Store) -> None:
    backing.session("s1").put("report", "x" * 100_000)
    notes = SharedContextStore("s1", store=backing)
    notes.write("a", "v")
    assert notes.list_keys()["total_size_tokens"] == 1


def test_other_faces_read_notes_under_their_full_key(backing: sharedctx.Store, notes: SharedContextStore) -> None:
    notes.write("scope", "v", "orchestrator")
    context = backing.session("s1")
    assert context.get("notes/scope", full=True) == "v"
    context.put("notes/plan", {"step": 1}, agent="graph")
    assert notes.read("plan")["value"] == '{"step":1}'


def test_expected_version_writes_only_over_what_was_read(notes: SharedContextStore) -> None:
    notes.write("plan", "a", "first", expected_version=0)
    with pytest.raises(VersionConflict, match=r"'plan' is at version 1 by 'first'.*expected_version=1") as caught:
        notes.write("plan", "b", "second", expected_version=0)
    assert (caught.value.expected, caught.value.actual) == (0, 1)
    notes.write("plan", "b", "second", expected_version=1)
    with pytest.raises(VersionConflict):
        notes.delete("plan", expected_version=1)
    notes.delete("plan", expected_version=2)
    assert notes.write("plan", "c", expected_version=0)["version"] == 4


def test_checks_come_in_a_fixed_order(backing: sharedctx.Store) -> None:
    notes = SharedContextStore("s", store=backing, max_store_tokens=1)
    notes.write("mine", "v", writable_by=["owner"])
    other = notes.bind("other")
    with pytest.raises(InvalidKey):
        other.write("MINE", 3)  # type: ignore[arg-type]
    with pytest.raises(Forbidden):
        other.write("mine", 3)  # type: ignore[arg-type]
    with pytest.raises(InvalidValue):
        other.write("new", 3, expected_version=7)  # type: ignore[arg-type]
    with pytest.raises(VersionConflict):
        other.write("new", "v", expected_version=7)
    with pytest.raises(BudgetExceeded):
        other.write("new", "v")
    notes.archive()
    with pytest.raises(SessionArchived):
        other.write("MINE", 3)  # type: ignore[arg-type]


def test_a_note_lives_as_long_as_its_ttl(notes: SharedContextStore, clock: ManualClock) -> None:
    notes.write("a", "v", ttl=10)
    clock.advance(9.9)
    assert notes.read("a")["value"] == "v"
    clock.advance(0.1)
    with pytest.raises(KeyNotFound):
        notes.read("a")
    assert notes.list_keys() == {"keys": [], "total_size_tokens": 0}
    assert notes.write("a", "w", expected_version=0)["version"] == 2
    for ttl in (-1, float("nan"), True, "5"):
        with pytest.raises(InvalidValue):
            notes.write("a", "v", ttl=ttl)  # type: ignore[arg-type]


def test_prefix_and_batches(notes: SharedContextStore) -> None:
    for key in ("task_a", "task_b", "other"):
        notes.write(key, key)
    assert [note["key"] for note in notes.list_keys("task_")["keys"]] == ["task_a", "task_b"]
    found = notes.read_batch(["task_b", "nothing", "other"])
    assert [note["value"] for note in found["entries"]] == ["task_b", "other"]
    assert found["missing"] == ["nothing"]
    with pytest.raises(InvalidValue):
        notes.read_batch("task_a")


def test_snapshots_name_a_state(notes: SharedContextStore) -> None:
    notes.write("a", "1")
    notes.write("b", "1")
    taken = notes.snapshot("phase-1")
    assert taken["versions"] == {"a": 1, "b": 1}
    notes.write("a", "2")
    notes.delete("b")
    found = notes.read_snapshot("phase-1")
    assert {note["key"]: note["value"] for note in found["entries"]} == {"a": "1", "b": "1"}
    assert found["missing"] == []
    with pytest.raises(InvalidValue, match="'phase-1' exists"):
        notes.snapshot("phase-1")
    assert [each["label"] for each in notes.snapshots()] == ["phase-1"]
    with pytest.raises(KeyNotFound):
        notes.read_snapshot("phase-2")


def test_subscribers_hear_of_changes_they_may_read(notes: SharedContextStore) -> None:
    heard: list[dict[str, Any]] = []
    news = threading.Semaphore(0)

    def handler(event: dict[str, Any]) -> None:
        heard.append(event)
        news.release()
        if event["key"] == "task_bad":
            raise RuntimeError("a handler's own fault")

    with notes.bind("subagent:x").subscribe(handler, prefix="task_"):
        notes.write("other", "v")
        notes.write("task_secret", "v", readable_by=["lead"])
        notes.write("task_bad", "v", "lead")
        notes.write("task_a", "v", "lead")
        notes.delete("task_a")
        for _ in range(3):
            assert news.acquire(timeout=20)
    notes.write("task_late", "v")
    assert [(event["key"], event["version"], event["op"]) for event in heard] == [
        ("task_bad", 1, "put"),
        ("task_a", 1, "put"),
        ("task_a", 2, "delete"),
    ]


def test_logs_tell_who_wrote_what_but_never_the_value(
    notes: SharedContextStore, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "sharedctx.notes"):
        notes.write("plan", "a-very-secret-value", "lead")
    assert "session=s1 key=plan by=lead version=1" in caplog.text
    assert "secret" not in caplog.text


def test_limits_of_other_faces_do_not_touch_notes(backing: sharedctx.Store, notes: SharedContextStore) -> None:
    notes.write("a", "v")
    notes.archive()
    ctx = backing.session("s1", max_entries=1)
    ctx.put("other", "x")
    ctx.put("another", "x")
    assert ctx.keys() == ["another", "notes/a"]


def test_keys_that_are_no_notes_are_left_to_other_faces(backing: sharedctx.Store, notes: SharedContextStore) -> None:
    backing.session("s1").put("notes/Not A Note", "v")
    notes.write("a", "v")
    assert [note["key"] for note in notes.list_keys()["keys"]] == ["a"]
