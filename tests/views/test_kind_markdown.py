"""Markdown, reStructuredText and prose: an outline that keeps headings, code, tables and warnings."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.tokens import counter
from sharedctx.views.kind import Brief, Draft, Source
from sharedctx.views.kinds.markdown import KIND
from sharedctx.views.references import expand
from sharedctx.views.view import Marks

COUNT = counter()
LONG = """Carts are emptied at night by a job that
everybody knows, e.g. from the manual. Nobody has ever asked for them again.
It never fails on the last day of a month. The rest is of no interest to anybody who reads this."""
PAGE = f"""# Orders

[![build](https://ci.example/x.svg)](https://ci.example/x)

- [Set up](#set-up)
- [Use](#use)
- [Help](#help)

## Set up

{LONG}

```shell
shop init --fast

shop run
```

| Name    | Default |
|---------|---------|
| retries | 3       |

1. First thing to do. It takes long.
2. Then [the other](https://shop.example/other) thing.

> **Warning** Prices are lost. They do not come back. Really.
"""
RST = f"""Orders
======

.. _orders:

{LONG}

.. code-block:: python

    import shop

    shop.run()

Use it::

    shop.stop()

.. warning::

    Prices are lost. They do not come back. Really.

Details
-------

.. image:: lamp.png
"""


def brief(budget: int | None = None, *wanted: str) -> Brief:
    return Brief(budget, COUNT, wanted, Marks("guide", 4))


def view(text: str, budget: int | None = None, *wanted: str) -> Draft:
    draft = KIND.shorten(Source(text), brief(budget, *wanted))
    assert draft is not None
    return draft


def test_headings_code_tables_and_warnings_of_markdown_are_kept() -> None:
    lines = view(PAGE).text.split("\n")
    assert "# Orders L1" in lines
    assert "## Set up L9" in lines
    at = lines.index("```shell")
    assert lines[at : at + 4] == ["```shell", "shop init --fast", "shop run", "```"]
    assert "| retries | 3 |" in lines
    assert "> **Warning** Prices are lost. They do not come back. Really." in lines
    assert "2. Then the other thing." in lines


def test_headings_code_and_warnings_of_restructuredtext_are_kept() -> None:
    lines = view(RST).text.split("\n")
    assert "# Orders L1" in lines
    assert f"## Details L{RST.split(chr(10)).index('Details') + 1}" in lines
    at = lines.index("code-block:: python")
    assert lines[at : at + 3] == ["code-block:: python", "import shop", "shop.run()"]
    assert "shop.stop()" in lines
    assert "warning:: Prices are lost. They do not come back. Really." in lines
    assert "lamp.png" not in "".join(lines)


def test_paragraphs_keep_their_first_sentence_and_what_warns() -> None:
    said = "Carts are emptied at night by a job that everybody knows, e.g. from the manual. … It never fails"
    for text in (PAGE, RST):
        draft = view(text)
        assert said in draft.text
        assert "asked" not in draft.text
        assert "no interest" not in draft.text
        assert "asked for them" in view(text, None, "asked").text


def test_what_is_left_out_can_be_had() -> None:
    draft = view(PAGE)
    assert "ci.example" not in draft.text
    assert "(#use)" not in draft.text
    assert 'expand("guide", "v4:lines:1-' in draft.text
    assert [expand(PAGE, ref.removeprefix("v4:")) for ref in draft.refs] == [PAGE]


def test_code_that_stood_before_is_not_repeated() -> None:
    code = "\n".join(f"    call_number_{n}(argument)" for n in range(12))
    text = f"# One\n\nFirst.\n\n```\n{code}\n```\n\nAgain.\n\n```\n{code}\n    one_more()\n```\n"
    assert view(text).text.count("call_number_7(") == 1
    assert "one_more()" in view(text).text


def test_only_a_view_that_is_the_text_itself_has_no_reference() -> None:
    assert view("One sentence alone.") == Draft("One sentence alone.", "outline")
    for text in ("One sentence\n\nalone.", "One  space.", "See [it](https://shop.example).", "```\na\n\nb\n```"):
        assert view(text).refs == ("v4:lines:1-" + str(text.count("\n") + 1),)


@pytest.mark.parametrize("budget", [50, 80, 160, 400])
def test_a_budget_is_kept_and_headings_come_first(budget: int) -> None:
    text = PAGE + "".join(f"\n## Part {n}\n\n{LONG}\n" for n in range(12))
    draft = view(text, budget)
    assert COUNT(draft.text) <= budget
    assert draft.refs
    if budget >= 160:
        assert all(re.search(rf"## Part {n}\b", draft.text) for n in range(12))
    assert "needle 7" in view(text + "\nThe needle 7 is here.\n", budget, "needle").text


def test_a_paragraph_over_the_budget_is_cut_between_words() -> None:
    text = "identifier_number_12345 " * 4000
    draft = view(text, 200)
    assert COUNT(draft.text) <= 200
    assert set(draft.text.split("]]\n")[1].split()) == {"identifier_number_12345", "…"}
    assert draft.refs == ("v4:lines:1-1",)


@settings(max_examples=60)
@given(
    st.lists(st.one_of(st.sampled_from(["# ", "```", "::", "\n\n", "    ", "- ", "| ", "---\n", ".. x::"]), st.text()))
)
def test_any_text_is_taken(parts: list[str]) -> None:
    source = Source("".join(parts))
    KIND.fits(source)
    for budget in (None, 50):
        assert KIND.shorten(source, brief(budget)) is not None


@pytest.mark.parametrize(
    "unit",
    ["#", "```\n", "- x\n", "[", "[a](", "<a ", "a. B", ".. x::\n\n", "    x\n", "=\n", "a\n===\n", "| \n", "* ", " "],
)  # fmt: skip
def test_hostile_texts_are_read_at_once(unit: str) -> None:
    KIND.shorten(Source(unit * (200_000 // len(unit))), brief(200))


def test_it_knows_documents_from_code_and_logs() -> None:
    assert KIND.fits(Source(PAGE)) >= 0.6
    assert KIND.fits(Source(RST)) >= 0.6
    assert KIND.fits(Source((LONG + "\n\n") * 8)) >= 0.5
    assert KIND.fits(Source("# count\nfor n in range(10):\n    total += n  # add\n" * 20)) == 0
    assert KIND.fits(Source("".join(f"2026-01-01 12:00:{n} INFO [a.b] done id={n}\n" for n in range(60)))) == 0
    assert KIND.fits(Source("a,b,c\n1,2,3\n" * 20)) == 0


def test_lines_that_underline_headings_are_no_code() -> None:
    part = "Part {0}\n-------\n\n* :ref:`part <p{0}>` gained a support for ``{0}`` parts in all of the shops, "
    part += "and so it did in the other ones.\n"
    page = "Notes\n*****\n\n" + "\n".join(part.format(at) for at in range(40))
    assert KIND.fits(Source(page)) > 0.4


def test_the_middle_of_a_long_list_is_left_out_of_a_page_of_lists_but_for_what_warns() -> None:
    items = [f"- part {at} is now made of ash, see page {at}" for at in range(60)]
    items[30] = "- part 30 failed in the oven and is no longer made"
    page = "# Changes\n\nWhat changed in the shop since the last spring, part by part.\n\n" + "\n".join(items) + "\n"
    made = KIND.shorten(Source(page), Brief(None, COUNT, (), Marks("key", 1)))
    assert made is not None
    assert "- part 1 is now made of ash" in made.text
    assert "- part 59 is now made of ash" in made.text
    assert "- part 30 failed in the oven" in made.text
    assert "- part 20 " not in made.text
    assert made.refs
