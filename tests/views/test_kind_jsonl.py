"""Views of JSON lines give the exact text back, odd lines included."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.errors import DecodeError
from sharedctx.tokens import Estimate
from sharedctx.views import expand, split_version
from sharedctx.views.kind import Brief, Source
from sharedctx.views.kinds.jsonl import KIND
from sharedctx.views.view import Marks

ODD = ["", "{", '{"a": 1}', '{"a":1.0}', '{"a":1,"a":2}', '"x"', "null", " {}", '{"a":1e3}', "{}\r"]
count = Estimate("estimate")
scalars = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.sampled_from([1.0, 0.5]), st.text(max_size=4))
objects = st.dictionaries(st.sampled_from(["a", "b", "c"]), scalars | st.lists(scalars, max_size=3), max_size=3)


def events(size: int) -> str:
    lines = [
        {"at": 1000 + n, "host": f"h{n % 3}", "level": "error" if n == 40 else "info", "ms": n % 7} for n in range(size)
    ]
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)


@settings(max_examples=60)
@given(
    st.lists(objects, min_size=3, max_size=12),
    st.lists(st.tuples(st.integers(0, 11), st.sampled_from(ODD)), max_size=3),
    st.booleans(), st.booleans(), st.booleans(),
)  # fmt: skip
def test_packed_lines_are_read_back_to_the_character(
    values: list[object], odd: list[tuple[int, str]], spaced: bool, ascii_only: bool, ended: bool
) -> None:
    style = (", ", ": ") if spaced else (",", ":")
    lines = [json.dumps(value, separators=style, ensure_ascii=ascii_only) for value in values]
    for at, line in odd:
        lines.insert(at, line)
    text = "\n".join(lines) + "\n" * ended
    packed = KIND.pack(Source(text))
    assert packed is None or KIND.unpack(packed) == text


def test_lines_of_one_form_get_much_shorter() -> None:
    text = events(200)
    assert KIND.fits(Source(text)) > 0.9
    packed = KIND.pack(Source(text))
    assert packed is not None
    assert count(packed) < 0.5 * count(text)
    assert KIND.unpack(packed) == text


def test_the_standard_view_keeps_errors_and_redeems_lines() -> None:
    text = events(300)
    draft = KIND.shorten(Source(text), brief())
    assert draft is not None
    assert count(draft.text) < 0.2 * count(text)
    assert "error" in draft.text
    assert "1299" in draft.text
    for ref in draft.refs:
        assert split_version(ref)[1].startswith("lines:")
        assert expand(text, split_version(ref)[1])


@pytest.mark.parametrize("budget", [50, 120, 300])
def test_a_budget_is_kept(budget: int) -> None:
    draft = KIND.shorten(Source(events(500)), brief(budget))
    assert draft is not None
    assert count(draft.text) <= budget


@pytest.mark.parametrize(
    "text", ["[[jsonl: compact lines]]\n{}", "[[jsonl: odd lines]]\n[]", "[[jsonl: compact lines]]\n["]
)
def test_nonsense_raises_decode_errors(text: str) -> None:
    with pytest.raises(DecodeError):
        KIND.unpack(text)


def brief(budget: int | None = None) -> Brief:
    return Brief(budget, count, (), Marks("key", 1))
