"""Lossless views of pages give the exact text back, and say once what a page repeats."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.errors import DecodeError
from sharedctx.views import compress, decompress
from sharedctx.views.kinds.html import KIND
from sharedctx.views.pages import packing

WORDS = st.sampled_from(
    ["one", "two words", "a|b", "1 < 2 > 0", "C:\\dir\\", "\\n", "x/", "&nbsp;", "{1}", "{}", "\u00e9", "\xa0", "\t"]
)  # fmt: skip
NAMES = st.sampled_from(["a", "b", "A", "td", "DIV", "my-tag", "script", "pre", "svg:g"])
VALUES = st.sampled_from(["", "x", "#top", "page.html#one", "two\nlines", "a|b", "q > 1", "/long" * 12])
INDENTS = st.sampled_from(["", "  ", "    ", "\t", " \t"])
LEAVES = WORDS | st.sampled_from(
    ["<br>", "<br/>", '<img src="a.png" alt="">', "<!-- | > -->", "<!doctype html>", "<", ">", "<p", "long words " * 9]
)  # fmt: skip


@st.composite
def attributes(draw: st.DrawFn) -> str:
    spelled = []
    for name in draw(st.lists(st.sampled_from(["id", "class", "href"]), max_size=3)):
        value = draw(VALUES)
        spelled.append(draw(st.sampled_from([f' {name}="{value}"', f" {name}='{value}'", f" {name}"])))
    return "".join(spelled)


def element(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def spelled(name: str, attributes: str, parts: list[str], indents: list[str], end: str) -> str:
        body = "".join(part + indent for part, indent in zip(parts, indents, strict=False))
        return f"<{name}{attributes}>{body}{end.format(name=name)}"

    indents = st.lists(st.just("") | INDENTS.map(lambda indent: f"\n{indent}"), min_size=6, max_size=6)
    ends = st.sampled_from(["</{name}>", "</{name}>", "</{name}>", "", "</{name} >", "</p>", "</{name}>\n"])
    return st.builds(spelled, NAMES, attributes(), st.lists(inner, max_size=6), indents, ends)


PAGES = st.builds(
    lambda parts, times, end: (end.join(parts) + end) * times,
    st.lists(st.recursive(LEAVES, element, max_leaves=20), max_size=6),
    st.integers(1, 5),
    st.sampled_from(["", "\n", "\r\n", "\n\n", "\n  "]),
)


@settings(max_examples=80)
@given(PAGES)
def test_a_packed_page_is_read_back_to_the_character(page: str) -> None:
    assert packing.unpack(packing.pack(page)) == page


@settings(max_examples=60)
@given(st.text(alphabet="<>/|\\&#*+ab1 =\"'\n\t{}!-"))
def test_any_signs_are_packed_exactly(text: str) -> None:
    assert packing.unpack(packing.pack(text * 3)) == text * 3


@settings(max_examples=60)
@given(st.text(alphabet="<>/|\\&#*+A1 =:\n{}"))
def test_any_text_below_a_legend_is_read_or_refused(text: str) -> None:
    for forms in ("", "A=<a {}>{}\\n{1}\n"):
        with suppress(DecodeError):
            assert isinstance(KIND.unpack(f"[[html: x]]\n{forms}\n{text}"), str)


@pytest.mark.parametrize(
    "unit",
    ["<", "<!--", "<a ", '<a b="', "</", "<![CDATA[", "<script>", "<p>", "<p></p>", "<ul><li>", "</p>", "<b><i></b>",
     "|", ">", "\\", "\n ", "<p>\n"],
)  # fmt: skip
def test_hostile_pages_are_packed_exactly(unit: str) -> None:
    page = unit * (30_000 // len(unit))
    assert packing.unpack(packing.pack(page)) == page


def test_elements_in_elements_are_packed_at_any_depth() -> None:
    page = "<div>" * 5_000 + "x" + "</div>" * 5_000
    assert packing.unpack(packing.pack(page)) == page
    with pytest.raises(DecodeError):
        KIND.unpack("[[html: ]]\n\n" + "<b " * 100_000)


def links(number: int) -> str:
    rows = "".join(
        f'    <li><a href="https://files.example.com/{n * 7919 % 997:03}/part-{n}.tar.gz#md5={n * 104729:08x}" '
        f'class="download">part-{n}.tar.gz</a></li>\n'
        for n in range(number)
    )
    return f"<!DOCTYPE html>\n<html>\n<body>\n  <ul>\n{rows}  </ul>\n</body>\n</html>\n"


def test_a_list_of_links_is_told_as_one_form_and_lines_of_cells() -> None:
    page = links(60)
    view = compress(page, mode="lossless")
    assert view.kind == "html"
    assert view.lossless
    assert view.tokens < 0.5 * view.original_tokens
    assert decompress(view.text) == page
    assert "/part-7.tar.gz" not in view.text  # it follows from the text of the link
    assert view.text.count("files.example.com") == 1
    (row,) = (line for line in view.text.split("\n") if "part-7.tar.gz" in line)
    assert f"{7 * 104729:08x}" in row


def test_indentation_and_ends_that_follow_from_nesting_are_not_told() -> None:
    items = ("wheels", "doors of steel", "no roof", "two seats")
    parts = []
    for number in range(9):
        inner = "".join(f"        <li>{item} {number}\n        </li>\n" for item in items)
        parts.append(f"    <ul>\n{inner}    </ul>\n" + "    words\n" * number)
    page = f"<div>\n{''.join(parts)}</div>\n"
    view = compress(page, mode="lossless", kind="html")
    assert decompress(view.text) == page
    body = view.text.partition("\n\n")[2]
    assert "doors of steel 7" in body
    assert "</" not in body
    assert body.count("\n  ") == 1  # once, to tell how far each level is indented


def test_a_paragraph_that_stands_twice_is_told_once() -> None:
    note = "<p>Keep the <b>valve</b> closed while the pump is running, and open it slowly after it has stopped.</p>"
    page = "<html><body>\n" + "".join(f"<h2>Pump {n}</h2>\n{note}\n" for n in range(12)) + "</body></html>"
    view = compress(page, mode="lossless")
    assert decompress(view.text) == page
    assert view.text.count("closed while the pump") == 1


def test_scripts_keep_their_lines() -> None:
    script = "\n".join(f"    if (a{n} < b && c > {n}) {{ run('<p>'); }}" for n in range(20))
    page = f"<html><head>\n<script>\n{script}\n</script></head><body>" + "<p>words</p>\n" * 30 + "</body></html>"
    view = compress(page, mode="lossless")
    assert decompress(view.text) == page
    assert script in view.text
