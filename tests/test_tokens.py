"""Counters give one number for one text, whatever the text, and say what they count with."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.tokens import Estimate, counter


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=[]), max_size=200))
def test_any_text_is_counted(text: str) -> None:
    for count in (counter(), Estimate("estimate")):
        assert count(text) == count(text) >= (1 if text else 0)


def test_half_a_surrogate_pair_is_counted() -> None:
    assert counter()("a \ud800 b") > 0


def test_an_estimate_is_near_the_count() -> None:
    text = '{"level":"error","message":"connection refused by 10.0.0.7:5432"}\n' * 200
    assert abs(Estimate("estimate")(text) / counter("gpt-4o")(text) - 1) < 0.3


def test_an_unknown_model_gets_the_default_counter_that_says_so() -> None:
    count = counter("nobody/knows-it")
    assert "nobody/knows-it" in count.name
    assert count("some text") == counter()("some text")


def test_without_the_tokenizer_the_counter_says_that_it_estimates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "quicktok", None)
    counter.cache_clear()
    try:
        assert counter().name.startswith("estimate")
    finally:
        counter.cache_clear()
