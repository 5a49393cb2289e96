"""HTML: the visible text with its structure, whatever the markup looks like, and a way back to the whole."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.tokens import counter
from sharedctx.views.kind import Brief, Draft, Source
from sharedctx.views.kinds.html import KIND
from sharedctx.views.references import expand
from sharedctx.views.view import Marks

COUNT = counter()
LONG = "Carts are emptied at night. Nobody has ever asked for them again. The <a href='/jobs'>night job</a> does it."
PAGE = f"""<!DOCTYPE html>
<html><head><title>Shop manual</title><style>body {{ color: red }}</style>
<script>var hidden = "nothing to see";</script></head>
<body class="wide"><!-- a comment that nobody reads -->
<nav><ul><li><a href="/one">Orders</a></li><li><a href="/two">Prices</a></li></ul></nav>
<h1 id="top">Orders &amp; returns</h1>
<p class="lead">{LONG}</p>
<h2>Set up</h2>
<pre><code>shop init --fast
shop run   # now
</code></pre>
<table><tr><th>Name</th><th>Default</th></tr><tr><td><p>retries</p></td><td>3</td></tr></table>
<p>Warning: the first order fails without a price.</p>
<svg><text>decoration</text></svg>
</body></html>
"""


def brief(budget: int | None = None, *wanted: str) -> Brief:
    return Brief(budget, COUNT, wanted, Marks("page", 4))


def view(text: str, budget: int | None = None, *wanted: str) -> Draft:
    draft = KIND.shorten(Source(text), brief(budget, *wanted))
    assert draft is not None
    return draft


def test_what_a_reader_sees_is_kept_with_its_structure() -> None:
    lines = view(PAGE).text.split("\n")
    assert "# Orders & returns L6" in lines
    assert "## Set up L8" in lines
    assert "- Orders · Prices" in lines
    assert "Name | Default" in lines
    assert "retries | 3" in lines
    assert "shop init --fast" in lines
    assert "shop run   # now" in lines
    assert "Warning: the first order fails without a price." in lines


def test_markup_scripts_and_comments_are_left_out_with_a_reference_to_everything() -> None:
    draft = view(PAGE)
    assert not any(word in draft.text for word in ("color", "nothing to see", "comment", "decoration", "<p", "href"))
    assert 'expand("page", "v4:lines:1-' in draft.text
    assert [expand(PAGE, ref.removeprefix("v4:")) for ref in draft.refs] == [PAGE]


def test_long_paragraphs_keep_their_first_sentence_and_the_names_of_links() -> None:
    assert "Carts are emptied at night. … (night job)" in view(PAGE).text
    assert "Nobody has ever asked" in view(PAGE, None, "asked").text


def test_a_page_that_keeps_its_content_in_a_template_or_in_json_is_read_there() -> None:
    template = f'<script id="x" type="text/x-handlebars-template"><h3>Keys</h3><p>{LONG}</p></script><div></div>'
    assert "### Keys" in view(template * 3).text
    data = '{"props": {"title": "How to return a broken lamp", "id": "a1b2c3"}, "n": [1, 2]}'
    page = f'<html><body><div id="root"></div><script type="application/json">{data}</script></body></html>'
    assert "How to return a broken lamp" in view(page + "<!-- filler -->" * 300).text


def test_a_page_of_one_line_is_referred_to_by_characters() -> None:
    page = PAGE.replace("\n", " ") * 5
    draft = view(page)
    assert draft.refs == (f"v4:chars:0-{len(page)}",)
    assert expand(page, draft.refs[0].removeprefix("v4:")) == page


def test_an_element_that_is_never_closed_hides_nothing() -> None:
    assert "seen in the end" in view("<p>first</p><svg><p>seen in the end</p>" + "<br>" * 20).text


@pytest.mark.parametrize("budget", [50, 80, 150, 300])
def test_a_budget_is_kept_and_headings_come_first(budget: int) -> None:
    page = PAGE + "".join(f"<h2>Part {n}</h2><p>{LONG} {LONG}</p>\n" for n in range(12))
    draft = view(page, budget)
    assert COUNT(draft.text) <= budget
    assert draft.refs
    if budget >= 150:
        assert all(re.search(rf"Part {n}\b", draft.text) for n in range(12))
    assert "needle 7" in view(page + "<p>The needle 7 is here.</p>", budget, "needle").text


@settings(max_examples=60)
@given(st.lists(st.one_of(st.sampled_from(["<p>", "</", "<a b='", "<!--", "-->", "<script>", "&#x", ">"]), st.text())))
def test_any_text_is_taken(parts: list[str]) -> None:
    source = Source("".join(parts))
    KIND.fits(source)
    for budget in (None, 50):
        draft = KIND.shorten(source, brief(budget))
        assert draft is None or draft.text


@pytest.mark.parametrize(
    "unit",
    ["<", "<!--", "<a ", "<a b=\"", "</", "<![CDATA[", "<script>", "<script><!--",
    "<svg>", "<p>", '<a ">" ', "&#9", "<ul><li>"],
)  # fmt: skip
def test_hostile_pages_are_read_at_once(unit: str) -> None:
    KIND.shorten(Source(unit * (200_000 // len(unit))), brief(200))


def test_it_knows_html_from_code_and_prose() -> None:
    assert KIND.fits(Source(PAGE)) > 0.9
    assert KIND.fits(Source("<div><p>one</p></div>\n" * 20)) >= 0.8
    assert KIND.fits(Source("if a < b and c > d: print(a)\n" * 40)) == 0
    assert KIND.fits(Source("A sentence.\n" * 40)) == 0
    assert KIND.fits(Source('<?xml version="1.0"?><orders><order id="1"/></orders>')) == 0


def test_a_small_budget_goes_to_headings_and_the_terms_that_a_page_explains() -> None:
    terms = "".join(
        f"<dt><b>call_{n}</b>(self, key)</dt><dd>Gives letter {n}. Raises an error if there is none, which is told with"
        f" words of its own.</dd>\n"
        for n in range(12)
    )
    prose = f"<p>Of letters. {'And more. ' * 60}</p>"
    draft = view(f"<html><body><h1>Letters</h1>\n{prose}<dl>{terms}</dl></body></html>", 200)
    assert "# Letters" in draft.text
    for n in range(12):
        assert f"- call_{n}(self, key)" in draft.text
