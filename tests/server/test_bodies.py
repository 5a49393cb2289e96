"""Bodies are read as the standard library reads them, whichever way they take."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharedctx.errors import InvalidValue
from sharedctx.projects import Difference, State
from sharedctx.projects.state import parse_json
from sharedctx_server.bodies import Change, read_change, read_state

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
)


def slowly(data: bytes) -> bytes | str:
    try:
        return State.of(parse_json(data, "it")).encoded
    except InvalidValue as error:
        return error.message


def read(data: bytes) -> bytes | str:
    try:
        return read_state(data, "it").encoded
    except InvalidValue as error:
        return error.message


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=4), st.booleans(), st.sampled_from([None, 1]))
def test_what_is_read_is_canonical_in_the_same_way(context: dict[str, Any], ascii: bool, indent: int | None) -> None:
    data = json.dumps(context, ensure_ascii=ascii, indent=indent).encode()
    assert read(data) == slowly(data)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":":"}}',
        b'{"a":1,"a":"\\u003a"}',
        b'{"a":"::","b":{"c":1,"c":1}}',
        b'{"a":NaN}',
        b'{"a":1e999}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b'{"a":1}x',
        b'{"a":' + b"[" * 100_000,
        b"",
    ],
)
def test_what_is_no_json_or_says_a_name_twice_is_refused_in_the_same_words(data: bytes) -> None:
    refused = read(data)
    assert isinstance(refused, str)
    assert refused == slowly(data)


CONTEXTS = st.dictionaries(st.text(max_size=2), VALUES, max_size=6)
NAMES = st.lists(st.text(max_size=5), max_size=3)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "added": CONTEXTS,
            "modified": CONTEXTS | st.none(),
            "removed": NAMES,
            "unchanged": NAMES,
            "agentId": st.text(max_size=3) | st.none(),
            "expectedVersion": st.integers() | st.none(),
            "more": LEAVES,
        },
    ),
    st.booleans(),
)
def test_changes_are_read_as_they_are_said(given: dict[str, Any], ascii: bool) -> None:
    data = json.dumps(given, ensure_ascii=ascii).encode()
    who = given.pop("agentId", None), given.pop("expectedVersion", None)

    def slowly() -> Change:
        return Change(Difference.parse(parse_json(json.dumps(given), "the body")), *who)

    def said(change: Callable[[], Change]) -> object:
        try:
            diff, *more = change()
        except InvalidValue as error:
            return error.message
        return diff.encoded, more

    assert said(lambda: read_change(data)) == said(slowly)


@pytest.mark.parametrize(
    "data",
    [
        b'{"added":{"a":1},"added":{"b":1}}',
        b'{"added":{"a":1,"a":1}}',
        b'{"modified":{"a":{"b":1,"b":":"}}}',
        b'{"removed":["a:"],"removed":[]}',
        b'{"agentId":"a:","agentId":"b"}',
        b'{"added":{"a":NaN}}',
        b"[]",
        b"7",
        b"",
    ],
)
def test_changes_that_make_no_sense_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidValue):
        read_change(data)


@given(CONTEXTS, CONTEXTS)
def test_the_size_of_a_difference_is_known_without_making_it(old: dict[str, Any], new: dict[str, Any]) -> None:
    try:
        before, after = State.of(old), State.of(new)
    except InvalidValue:
        return
    assert Difference.size(before, after) == len(Difference.between(before, after).encoded)
