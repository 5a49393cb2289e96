"""Views of source code: what declares and what fails is shown, the rest has a reference."""

from __future__ import annotations

import re
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.tokens import Estimate
from sharedctx.views.kind import Brief, Draft, Source
from sharedctx.views.kinds.code import KIND
from sharedctx.views.view import Marks

count = Estimate("estimate")

PYTHON = '''#!/usr/bin/env python
"""Rates of currencies.

Long words about it.
"""
from __future__ import annotations

import os
from decimal import (
    Decimal,
)

LIMIT = 12


class Rates(Base, metaclass=Meta):
    """All rates of a day.

    They come from a bank.
    """

    retries: int = 3

    @property
    @cached
    def newest(self) -> Decimal:
        """Return the newest rate."""
        found = self.read()
        for each in found:
            use(each)
        # TODO: ask twice
        return found[-1]

    def convert(
        self,
        amount: Decimal,
        currency: str,
    ) -> Decimal:
        """Convert an amount.

        With the newest rate.
        """
        rate = self.table.get(currency)
        if rate is None:
            raise UnknownCurrency(
                f"no rate for {currency}"
            )
        squeezed = amount * rate
        squeezed = squeezed.quantize(Decimal("0.01"))
        return squeezed


async def main(argv: list[str]) -> int:
    def inner(n: int) -> int:
        several = n + 1
        return several * several
    for argument in argv:
        await run(inner(argument))
    return 0
'''


def brief(budget: int | None = None, *wanted: str) -> Brief:
    return Brief(budget, count, wanted, Marks("key", 3))


def view(text: str, budget: int | None = None, *wanted: str) -> Draft:
    draft = KIND.shorten(Source(text), brief(budget, *wanted))
    assert draft is not None
    return draft


def uncovered(text: str, draft: Draft) -> list[str]:
    """The lines that neither the view nor its references have."""
    lines = text.split("\n")
    left = set(range(len(lines)))
    for ref in draft.refs:
        found = re.fullmatch(r"v3:lines:(\d+)(?:-(\d+))?", ref)
        assert found, ref
        left -= set(range(int(found[1]) - 1, int(found[2] or found[1])))
    return [lines[index] for index in left if lines[index].rstrip("\r") not in draft.text]


def test_a_python_program_is_shown_by_what_it_declares() -> None:
    draft = view(PYTHON)
    for line in PYTHON.split("\n"):
        kept = ("import", "from", "LIMIT", "class", "@", "def", "async", "amount:", "raise", 'f"no rate', "retries")
        if line.strip().startswith(kept) or "TODO" in line or '"""All' in line or '"""Convert' in line:
            assert line in draft.text, line
    for gone in ("squeezed", "use(each)", "several", "They come from", "Long words"):
        assert gone not in draft.text
    assert not uncovered(PYTHON, draft)


def test_a_python_program_that_does_not_parse_is_shown_likewise() -> None:
    draft = view(PYTHON + "\n\nprint 'old'\n")
    for kept in (
        "class Rates(Base",
        "@cached",
        "amount: Decimal",
        "raise UnknownCurrency(",
        "no rate for",
        "async def main",
    ):
        assert kept in draft.text
    assert "squeezed" not in draft.text


@pytest.mark.parametrize("budget", [50, 90, 200, 500])
def test_a_budget_is_kept_and_everything_can_be_had(budget: int) -> None:
    text = PYTHON * 3
    for wanted in ((), ("sell", "convert")):
        draft = view(text, budget, *wanted)
        assert count(draft.text) <= budget
        assert not uncovered(text, draft)


def test_a_function_that_the_query_asks_for_is_shown_whole() -> None:
    for budget in (None, 300):
        draft = view(PYTHON, budget, "squeezed", "amount")
        assert PYTHON[PYTHON.index("    def convert(") : PYTHON.index("\n\n\nasync")] in draft.text
        assert "class Rates" in draft.text


def test_other_texts_are_not_taken_for_programs() -> None:
    log = "\n".join(f"2026-01-01 10:00:{n:02} ERROR def run(x): class {n} failed" for n in range(60))
    prose = "# Title\n\nThe function returns a class of rates, and raises errors.\nIt imports what is needed.\n\n" * 30
    listing = "\n".join(f"src/a{n}.py:{n}:def run_{n}(x):" for n in range(60))
    diff = "--- a/x.py\n+++ b/x.py\n@@ -1,60 +1,60 @@\n" + "\n".join(f"+def f{n}(x):\n-def g{n}(x):" for n in range(60))
    data = '{"def": 1,\n "class": [\n' + "\n".join(f'  {{"name": "class {n}"}},' for n in range(60)) + "\n 0]}"
    for text in (log, prose, listing, diff, data, f"{prose}\n```python\n{PYTHON}```\n{prose}", "", "x" * 5000):
        assert KIND.fits(Source(text)) == 0, text[:40]
    assert KIND.fits(Source(PYTHON, value=[1])) == 0


def test_a_view_is_not_viewed_again() -> None:
    text = PYTHON * 5
    assert KIND.shorten(Source(view(text).text), brief()) is None


def test_odd_escapes_in_a_program_warn_nobody() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "class Rates(Base" in view(PYTHON + "PATTERN = '\\d'\n").text


def test_a_long_line_is_cut_between_words_and_has_a_reference() -> None:
    text = PYTHON.replace("LIMIT = 12", "LIMIT = [" + ", ".join(f"number_{n}" for n in range(500)) + "]")
    draft = view(text)
    line = next(line for line in draft.text.split("\n") if line.startswith("LIMIT"))
    assert re.fullmatch(r"LIMIT = \[(?:number_\d+, )*(?:number_\d+,)? ?….*", line)
    assert re.findall(r"number_(\d+)", line) == [str(n) for n in range(len(re.findall(r"number_\d+", line)))]
    assert not uncovered(text, draft)


LEGEND = "[[x of 9 lines; …1-2 stands for lines 1-2 omitted]]"
LINES = [*PYTHON.split("\n"), '"""', "'''", "{", "}", "\\", "…1-9", LEGEND, "\r"]


@settings(max_examples=60)
@given(st.lists(st.sampled_from(LINES), max_size=80), st.integers(50, 300))
def test_any_lines_in_a_program_lose_nothing(lines: list[str], budget: int) -> None:
    text = PYTHON + "\n".join(lines)
    for limit in (None, budget):
        draft = KIND.shorten(Source(text), brief(limit, "rate"))
        if draft is not None:
            assert not uncovered(text, draft)
            assert limit is None or count(draft.text) <= limit


@settings(max_examples=60)
@given(st.text(max_size=2000))
def test_any_text_is_judged_without_complaint(text: str) -> None:
    KIND.fits(Source(text))
    KIND.shorten(Source(text), brief(80))
