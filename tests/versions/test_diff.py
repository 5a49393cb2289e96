"""Patches turn the old value into the new one, by another implementation's hand."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

import jsonpatch
from hypothesis import given
from hypothesis import strategies as st

from sharedctx.versions.diff import diff_json, diff_text

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


def test_text_differences_are_unified() -> None:
    text = diff_text("a\nb\nc\n", "a\nB\nc\n", from_label="k@1", to_label="k@2")
    assert text.splitlines()[:2] == ["--- k@1", "+++ k@2"]
    assert "-b\n+B\n" in text


def test_a_huge_text_difference_is_one_replacement() -> None:
    old = "".join(f"{n}\n" for n in range(5000))
    text = diff_text("same\n" + old, "same\nnew\n", from_label="a", to_label="b")
    assert text.count("@@") == 2
    assert text.count("\n-") == 5000


def patched(a: str, diff: str) -> str:
    """What ``patch`` would make of a text, by the unified format's rules; it must find what it takes away."""
    old = re.findall(r"[^\n]*\n|[^\n]+", a)
    made: list[str] = []
    at = 0
    for hunk in re.findall(r"@@ -(\d+),(\d+) [^\n]* @@\n((?:[-+ \\][^\n]*\n)*)", diff):
        upto = int(hunk[0]) - (hunk[1] != "0")
        made, at = made + old[at:upto], upto
        lines = hunk[2].split("\n")
        for line, following in pairwise(lines):
            text = line[1:] + ("" if following.startswith("\\") else "\n")
            if line[0] in "- ":
                assert old[at] == text
                at += 1
            made += [text] if line[0] in "+ " else []
    return "".join(made + old[at:])


texts = st.lists(st.sampled_from(["a", "b\r", "c\x0b", ""]), max_size=40).map("\n".join)


@given(texts, texts, st.integers(0, 3))
def test_a_text_difference_makes_the_new_text_of_the_old_one(a: str, b: str, context: int) -> None:
    diff = diff_text(a, b, from_label="a", to_label="b", context=context)
    assert (patched(a, diff) if diff else a) == b


def test_two_changes_in_a_long_text_are_two_hunks() -> None:
    lines = [str(n) for n in range(20_000)]
    new = [*lines]
    new[9000], new[9500] = "X", "Y"
    diff = diff_text("\n".join(lines), "\n".join(new), from_label="a", to_label="b")
    assert diff.count("\n@@ ") == 2
    assert len(diff.splitlines()) == 20
