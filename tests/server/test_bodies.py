"""Bodies are read as the standard library reads them, whichever way they take."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharedctx.errors import InvalidValue
from sharedctx.projects.state import State, parse_json
from sharedctx_server.bodies import read_json

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
        return State.of(*read_json(data, "it")).encoded
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
