"""Agents' requests as dicts: always a dict back, never an exception."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.notes import ACTIONS, SharedContextStore, handle, system_prompt

NOTES = SharedContextStore("s")


def ask(store: SharedContextStore, **request: Any) -> dict[str, Any]:
    return handle(store, request, participant="subagent:research")


@pytest.fixture
def notes() -> SharedContextStore:
    return SharedContextStore("s")


def test_the_four_verbs_and_their_extensions(notes: SharedContextStore) -> None:
    assert ask(notes, action="write", key="plan", value="v", expected_version=None)["written_by"] == "subagent:research"
    assert ask(notes, action="read", key="plan")["value"] == "v"
    assert ask(notes, action="list_keys")["total_size_tokens"] == 1
    assert ask(notes, action="read_batch", keys=["plan"])["entries"][0]["value"] == "v"
    assert len(ask(notes, action="read_history", key="plan", limit=1)["versions"]) == 1
    assert ask(notes, action="delete", key="plan") == {"deleted": "plan", "previous_version": 1}


def test_who_wrote_is_told_by_the_tool_layer_alone(notes: SharedContextStore) -> None:
    assert (
        ask(notes, action="write", key="k", value="v", written_by="orchestrator")["written_by"] == "subagent:research"
    )


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (None, "INVALID_ACTION"),
        ([], "INVALID_ACTION"),
        ({}, "INVALID_ACTION"),
        ({"action": "close"}, "INVALID_ACTION"),
        ({"action": ["read"]}, "INVALID_ACTION"),
        ({"action": "read"}, "INVALID_KEY"),
        ({"action": "read", "key": None}, "INVALID_KEY"),
        ({"action": "read", "key": "K"}, "INVALID_KEY"),
        ({"action": "read", "key": "nothing"}, "KEY_NOT_FOUND"),
        ({"action": "delete", "key": "nothing"}, "KEY_NOT_FOUND"),
        ({"action": "write", "key": "k"}, "INVALID_VALUE"),
        ({"action": "write", "key": "k", "value": 3}, "INVALID_VALUE"),
        ({"action": "write", "key": "k", "value": "v", "expected_verison": 3}, "INVALID_VALUE"),
        ({"action": "write", "key": "k", "value": "v", "expected_version": "3"}, "INVALID_VALUE"),
        ({"action": "write", "key": "k", "value": "v", "expected_version": 3}, "VERSION_CONFLICT"),
        ({"action": "write", "key": "k", "value": "x" * 5000}, "VALUE_TOO_LARGE"),
        ({"action": "write", "key": "k", "value": "\ud800"}, "INVALID_VALUE"),
        ({"action": "list_keys", "prefix": 3}, "INVALID_VALUE"),
    ],
)
def test_a_bad_request_is_answered_with_its_code(notes: SharedContextStore, request_: Any, code: str) -> None:
    answer = handle(notes, request_, participant="p")
    assert answer["error"] == code
    assert answer["message"]
    assert notes.list_keys()["keys"] == []


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
_NAMES = ["key", "value", "prefix", "keys", "limit", "ttl", "expected_version", "readable_by", "writable_by", "other"]


@settings(max_examples=150)
@given(st.sampled_from(list(ACTIONS)), st.dictionaries(st.sampled_from(_NAMES), _VALUES, max_size=4))
def test_no_request_raises_or_is_a_defect(action: str, arguments: dict[str, Any]) -> None:
    answer = handle(NOTES, {"key": "plan", "value": "v", **arguments, "action": action}, participant="p")
    assert isinstance(answer, dict)
    assert answer.get("error") != "INTERNAL"


def test_the_prompt_names_keys_and_limits() -> None:
    text = system_prompt(max_value_tokens=500)
    for part in ("current_phase", "open_questions", "list_keys", "expected_version", "500 tokens"):
        assert part in text


def test_a_participant_is_told_once_which_notes_others_changed(notes: SharedContextStore) -> None:
    ask(notes, action="write", key="plan", value="one")
    assert "changed" not in ask(notes, action="read", key="plan")
    handle(notes, {"action": "write", "key": "plan", "value": "two"}, participant="orchestrator")
    told = ask(notes, action="list_keys")["changed"]
    assert told == [{"key": "plan", "read_version": 1, "version": 2, "written_by": "orchestrator"}]
    assert "changed" not in ask(notes, action="list_keys")
    handle(notes, {"action": "delete", "key": "plan"}, participant="orchestrator")
    assert ask(notes, action="list_keys")["changed"][0]["version"] is None
