"""Views of separated text give the exact text back, and their markers count its lines."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.errors import DecodeError
from sharedctx.tokens import Estimate
from sharedctx.views import compress, expand, split_version
from sharedctx.views.kind import Brief, Source
from sharedctx.views.kinds.csv import KIND
from sharedctx.views.view import Marks

count = Estimate("estimate")
cells = st.sampled_from(["", "1", "1.0", "-3", "true", "x", "a b", "a,b", 'say "x"', "two\nlines", "^", "!", "*1", "é"])


def brief(budget: int | None = None, *wanted: str) -> Brief:
    return Brief(budget, count, wanted, Marks("key", 1))


def weather(days: int, ending: str = "\n") -> str:
    rows = [
        f"2024-{1 + n // 28:02}-{1 + n % 28:02},{n % 9}.{n % 10},{'snow' if n == 50 else 'rain'},NW"
        for n in range(days)
    ]
    rows[70] = rows[70].replace("rain", "hail").replace(",7.", ",-88.")
    return ending.join(["day,temperature,weather,wind", *rows, ""])


@settings(max_examples=60)
@given(
    st.lists(st.lists(cells, min_size=3, max_size=3), min_size=4, max_size=12),
    st.sampled_from([",", "\t", ";"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.booleans(),
)
def test_a_packed_table_is_read_back_to_the_character(
    rows: list[list[str]], delimiter: str, ending: str, quoting: int, ended: bool
) -> None:
    out = io.StringIO()
    table = [["a", "b", "c"], *rows, *[["a cell of some length"] * 3] * 40]  # so many that a view is shorter
    csv.writer(out, delimiter=delimiter, lineterminator=ending, quoting=quoting).writerows(table)  # type: ignore[arg-type]
    text = out.getvalue() if ended else out.getvalue().removesuffix(ending)
    packed = KIND.pack(Source(text))
    assert packed is not None
    assert KIND.unpack(packed) == text


@settings(max_examples=60)
@given(st.text(alphabet='ab,"\n\r1;', max_size=80))
def test_any_text_is_packed_exactly_or_not_at_all(rest: str) -> None:
    table = "id,name\n" + "17,a cell of some length\n" * 40
    for source in (Source("a,b\n" * 3 + "name,value\n" + rest), Source(rest), Source(table + rest)):
        packed = KIND.pack(source)
        assert packed is None or KIND.unpack(packed) == source.text
        KIND.shorten(source, brief(100))


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_regular_table_gets_shorter(ending: str) -> None:
    text = weather(200, ending)
    packed = KIND.pack(Source(text))
    assert packed is not None
    assert count(packed) < 0.9 * count(text)
    assert KIND.unpack(packed) == text


def test_the_standard_view_keeps_extremes_and_rare_values() -> None:
    text = weather(300)
    source = Source(text)
    assert KIND.fits(source) > 0.5
    draft = KIND.shorten(source, brief())
    assert draft is not None
    assert count(draft.text) < 0.15 * count(text)
    for fact in ("-88.", "hail", "snow", "2024-01-01", text.splitlines()[-1].split(",")[0]):
        assert fact in draft.text
    lines = text.split("\n")
    shown = {int(found) for found in re.findall(r"^(\d+): ", draft.text, re.M)}
    (ref,) = draft.refs
    first, last = map(int, split_version(ref)[1].removeprefix("lines:").split("-"))
    assert expand(text, split_version(ref)[1]).split("\n") == lines[first - 1 : last]
    assert {number for number in range(300) if not first <= number + 2 <= last} <= shown


def test_markers_count_lines_where_cells_have_several() -> None:
    text = "id,note\n" + "".join(f'{n},"first of {n}\nsecond of {n}"\n' for n in range(100))
    draft = KIND.shorten(Source(text), brief())
    assert draft is not None
    (ref,) = draft.refs
    assert expand(text, split_version(ref)[1]).startswith(('1,"first', '2,"first', '3,"first', '4,"first'))


def test_rows_with_words_of_a_query_are_kept() -> None:
    draft = KIND.shorten(Source(weather(300)), brief(200, "2024-05-17"))
    assert draft is not None
    assert "2024-05-17" in draft.text


def test_prose_and_ragged_text_are_no_tables() -> None:
    assert KIND.fits(Source("One, two, and three.\nThen four, perhaps.\nFive.\nSix, seven.\nEight.\n")) == 0.0
    assert KIND.pack(Source("a,b\n1,2,3\n4,5\n6,7\n8,9\n")) is None
    with pytest.raises(DecodeError):
        KIND.unpack("[[csv: odd-separated]]\n[[a],[]]")
    with pytest.raises(DecodeError):
        KIND.unpack("[[csv: comma-separated]]\n{}")


def test_a_view_that_shows_all_cells_still_refers_to_the_text_and_stays_as_it_is() -> None:
    text = ",".join(f"c{at}" for at in range(900)) + "\n" + (",".join(["1"] * 900) + "\n") * 4
    view = compress(text, key="wide")
    assert view.kind == "csv"
    assert view.refs
    assert expand(text, view.refs[0], max_tokens=20_000) == text
    assert compress(view.text, key="wide").text == view.text
