"""Listings: exact both ways, every directory named once, budgets and words of a query respected."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.errors import DecodeError
from sharedctx.tokens import counter
from sharedctx.views.kind import Brief, Reversible, Source
from sharedctx.views.kinds.listing import KIND
from sharedctx.views.references import expand
from sharedctx.views.view import Marks

COUNT = counter()


def files() -> list[str]:
    found = ["README.md", "setup.cfg"]
    for room in ("orders", "prices", "stock"):
        found += [f"src/shop/{room}/{name}.py" for name in ("__init__", "model", "store", "rules")]
        found += [f"src/shop/{room}/data/part-{number:05}.parquet" for number in range(40)]
    return [*found, "tests/integration/fixtures/deep/one.json", "tests/test_all.py"]


TEXT = "\n".join(files()) + "\n"


def brief(budget: int | None = None, *wanted: str) -> Brief:
    return Brief(budget, COUNT, wanted, Marks("tree", 4))


NAMES = st.one_of(
    st.sampled_from(["a", "b", "src", ".", "..", "", "a b", '"q', "x.", "a\r", "+5", "[[x", "é", " ", "a\\", "/."]),
    st.text(max_size=4),
)
PATHS = st.lists(NAMES, max_size=5).map("/".join)


@settings(max_examples=60)
@given(st.lists(PATHS, max_size=40), st.booleans())
def test_a_lossless_view_gives_the_exact_text_back(paths: list[str], in_order: bool) -> None:
    text = "\n".join(["src/package/module/long/name"] * 6 + (sorted(paths) if in_order else paths))
    packed = KIND.pack(Source(text))
    assert packed is None or KIND.unpack(packed) == text


@settings(max_examples=60)
@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    packed = KIND.pack(Source(text))
    assert packed is None or KIND.unpack(packed) == text
    KIND.fits(Source(text))
    KIND.shorten(Source(text), brief(50))
    with pytest.raises(DecodeError):
        KIND.unpack(text)


@pytest.mark.parametrize("text", [TEXT, TEXT.rstrip(), TEXT.replace("\n", "\r\n"), TEXT.replace("src", "my files")])
def test_the_lossless_view_names_a_directory_once_for_its_files(text: str) -> None:
    packed = KIND.pack(Source(text))
    assert isinstance(KIND, Reversible)
    assert packed is not None
    assert packed.startswith("[[listing: ")
    assert KIND.unpack(packed) == text
    assert COUNT(packed) < 0.65 * COUNT(text)


def test_directories_that_are_listed_themselves_come_back() -> None:
    text = "\n".join([".", "./src", "./src/a", "./src/a/one.py", "./src/a/two.py", "./src/b", "./src/b/three.py"] * 9)
    packed = KIND.pack(Source(text))
    assert packed is not None
    assert "a/. one.py two.py" in packed
    assert KIND.unpack(packed) == text


def test_names_that_differ_in_digits_alone_are_left_out_with_a_reference() -> None:
    draft = KIND.shorten(Source(TEXT), brief())
    assert draft is not None
    assert "model.py" in draft.text
    assert "part-00000.parquet part-00001.parquet +37 part-00039.parquet" in draft.text
    assert [expand(TEXT, ref.removeprefix("v4:")) for ref in draft.refs] == [TEXT]
    assert 'expand("tree", "v4:lines:1-' in draft.text


@pytest.mark.parametrize("budget", [50, 80, 120, 300, 1000])
def test_a_budget_is_kept_and_directories_come_first(budget: int) -> None:
    draft = KIND.shorten(Source(TEXT), brief(budget))
    assert draft is not None
    assert COUNT(draft.text) <= budget
    if budget >= 120:
        assert all(f"{name}/" in draft.text for name in ("orders", "prices", "stock", "data", "tests"))
    if budget < 300:
        assert draft.refs


def test_words_of_the_query_are_kept_under_a_budget() -> None:
    draft = KIND.shorten(Source(TEXT), brief(100, "00017"))
    assert draft is not None
    assert "part-00017.parquet" in draft.text
    draft = KIND.shorten(Source(TEXT), brief(None, "00017"))
    assert draft is not None
    assert "part-00017.parquet" in draft.text


def test_a_view_without_references_gives_the_listing_back() -> None:
    for text in (TEXT.replace("part-", "p"), "\n".join(f"src/shop/{name}.py\r" for name in "abcdefgh" * 4)):
        draft = KIND.shorten(Source(text), brief())
        assert draft is not None
        assert draft.refs or KIND.unpack(draft.text) == text


def test_every_name_is_shown_or_counted() -> None:
    for budget in (60, 150, None):
        draft = KIND.shorten(Source(TEXT), brief(budget))
        assert draft is not None
        words = draft.text.partition("]]\n")[2].split()
        left_out = sum(int(word) for word in words if word.startswith("+"))
        shown = sum(not word.startswith("+") and not word.endswith("/") for word in words)
        assert shown + left_out == len(files())


def test_it_knows_listings_from_prose_and_tables() -> None:
    assert KIND.fits(Source(TEXT)) > 0.8
    assert KIND.fits(Source("A sentence. And/or more.\n" * 40)) == 0
    assert KIND.fits(Source("a,b/c,d\n" * 40)) == 0
    assert KIND.fits(Source("word\n" * 40)) == 0


@pytest.mark.parametrize("text", ["x" * 1_000_000, "/" * 1_000_000, "a/b\n" * 50_000, ("a/" * 300 + "\n") * 500])
def test_hostile_lines_are_read_at_once(text: str) -> None:
    packed = KIND.pack(Source(text))
    assert packed is None or KIND.unpack(packed) == text
    KIND.shorten(Source(text), brief(200))
