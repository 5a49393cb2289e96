"""Patches turn the old value into the new one, by our own hand and by another implementation's."""

from __future__ import annotations

import json
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharedctx.errors import InvalidValue
from sharedctx.versions.diff import apply_patch, diff_json, diff_text

leaves = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False, width=16) | st.text("ab~/", max_size=3)
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text("ab~/", max_size=2), inner, max_size=5)
)


def spelled(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@given(values, values)
def test_a_patch_makes_the_new_value_of_the_old_one(a: Any, b: Any) -> None:
    before = spelled(a)
    patch = diff_json(a, b)
    assert spelled(apply_patch(a, patch)) == spelled(b)
    assert spelled(jsonpatch.apply_patch(a, patch)) == spelled(b)
    assert spelled(a) == before


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(0, 30), st.integers(0, 9))
def test_one_inserted_element_is_one_operation(items: list[int], at: int, new: int) -> None:
    rest = [100 + n for n in range(40)]
    a = {"list": items, "rest": rest}
    b = {"list": [*items[:at], new, *items[at:]], "rest": rest}
    assert [step["op"] for step in diff_json(a, b)] == ["add"]


def test_a_patch_larger_than_half_the_value_replaces_it() -> None:
    a, b = {f"k{n}": n for n in range(50)}, {f"x{n}": n for n in range(50)}
    assert diff_json(a, b) == [{"op": "replace", "path": "", "value": b}]


@pytest.mark.parametrize(
    "step",
    [
        {"op": "remove", "path": "/x"},
        {"op": "add", "path": "/a/9", "value": 1},
        {"op": "replace", "path": "/a/01", "value": 1},
        {"op": "test", "path": "/a/0", "value": 2},
        {"op": "move", "from": "/a", "path": "/a/0"},
        {"op": "explode", "path": ""},
        {"path": "/a"},
    ],
)
def test_an_operation_that_does_not_fit_is_refused(step: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue, match="operation 0"):
        apply_patch({"a": [1]}, [step])


def test_text_differences_are_unified() -> None:
    text = diff_text("a\nb\nc\n", "a\nB\nc\n", from_label="k@1", to_label="k@2")
    assert text.splitlines()[:2] == ["--- k@1", "+++ k@2"]
    assert "-b\n+B\n" in text


def test_a_huge_text_difference_is_one_replacement() -> None:
    old = "".join(f"{n}\n" for n in range(5000))
    text = diff_text("same\n" + old, "same\nnew\n", from_label="a", to_label="b")
    assert text.count("@@") == 2
    assert text.count("\n-") == 5000
