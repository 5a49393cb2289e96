"""Outputs of tools: stored whole under an address of their content, given as the same view each time."""

from __future__ import annotations

import logging

import pytest

import sharedctx
from sharedctx import SharedContext
from sharedctx.outputs import Outputs
from sharedctx.testing.clock import ManualClock

ROWS = "\n".join(f"2026-01-01 INFO job {n * 37} done in {n % 90} ms" for n in range(900))


@pytest.fixture
def context() -> SharedContext:
    return sharedctx.open("memory://", clock=ManualClock(1_700_000_000.0)).session("s")


def test_a_large_output_becomes_its_view_and_stays_whole(context: SharedContext) -> None:
    outputs = Outputs(context, "a/b c", face="test")
    made = outputs.shorten("fetch page", ROWS, 200)
    assert made is not None
    assert made.tokens <= 200 < made.original_tokens
    assert made.key.startswith("output/a_b_c/fetch_page-")
    assert context.expand(made.key, "all") == ROWS
    assert context.get_entry(made.key).agent == "a/b c"
    assert outputs.shorten("fetch page", "small", 200) is None
    assert outputs.shorten("fetch page", "x " * 150, 200) is None
    assert len(context.keys()) == 1


def test_the_same_output_is_the_same_text_for_every_object(context: SharedContext) -> None:
    first, second = (Outputs(context).shorten("t", ROWS, 200) for _ in range(2))
    assert first == second
    assert Outputs(context).shorten("other", ROWS, 200) != first
    assert len(context.history(first.key)) == 1


def test_a_view_is_not_shortened_but_made_anew_from_the_original(context: SharedContext) -> None:
    outputs = Outputs(context)
    prose = "\n\n".join(
        f"Finding {n} of part {n * 7 % 97} says that {n * n % 1013} is {n * 31 % 89}." for n in range(600)
    )
    large = outputs.shorten("t", prose, 400)
    assert outputs.shorten("t", large.text, 400) == large
    assert outputs.shorten("t", large.text, 600) == large
    small = outputs.shorten("t", large.text, 100)
    assert small.key == large.key
    assert small.tokens <= 100
    assert outputs.stub("t", large.text) == outputs.stub("t", prose)
    assert large.key in outputs.stub("t", prose)


def test_what_was_erased_is_stored_again(context: SharedContext) -> None:
    outputs = Outputs(context)
    first = outputs.shorten("t", ROWS, 200)
    context.erase(first.key)
    again = outputs.shorten("t", ROWS, 200)
    assert context.expand(again.key, f"v{again.version}:all") == ROWS


def test_what_was_written_over_is_stored_again(context: SharedContext) -> None:
    outputs = Outputs(context)
    first = outputs.shorten("t", ROWS, 200)
    context.put(first.key, "something else")
    again = outputs.shorten("t", ROWS, 200)
    assert again.version == 3
    assert context.expand(again.key, "all") == ROWS


def test_an_output_that_cannot_be_stored_is_left_whole(caplog: pytest.LogCaptureFixture) -> None:
    context = sharedctx.open("memory://").session("s", max_value_tokens=50)
    with caplog.at_level(logging.WARNING):
        assert Outputs(context).shorten("t", "word " * 20_000, 2000) is None
        assert Outputs(context).shorten("t", "\ud800" + ROWS, 200) is None
    assert caplog.text.count("stays whole") == 2


def test_prepared_outputs_are_not_counted_as_served(context: SharedContext) -> None:
    outputs = Outputs(context, face="test")
    outputs.prepare("t", ROWS, 200)
    assert len(context.keys("output/")) == 1
    assert context.savings() == []
    outputs.shorten("t", ROWS, 200)
    assert [(saving.face, saving.kind, saving.calls) for saving in context.savings()] == [("test", "handoff", 1)]
