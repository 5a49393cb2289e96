"""Search results: exact both ways, every match kept, budgets and words of a query respected."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.errors import DecodeError
from sharedctx.tokens import counter
from sharedctx.views.kind import Brief, Reversible, Source
from sharedctx.views.kinds.grep import KIND
from sharedctx.views.references import expand
from sharedctx.views.view import Marks

COUNT = counter()
FILES = ["src/shop/cart.py", "src/shop/prices.py", "tests/test_cart.py", "docs/guide-1-2.md"]


def results(context: int = 0, each: int = 30) -> str:
    lines = []
    for path in FILES:
        for match in range(1, each + 1):
            number = match * 9
            lines += [f"{path}-{number - back}-    # before {match}" for back in range(context, 0, -1)]
            lines.append(f"{path}:{number}:        raise ValueError({'match % 3' if match % 3 else match})")
            if context:
                lines.append("--")
    return "\n".join(lines) + "\n"


def brief(budget: int | None = None, *wanted: str) -> Brief:
    return Brief(budget, COUNT, wanted, Marks("hits", 4))


LINES = st.lists(
    st.one_of(
        st.builds(
            lambda path, mark, number, text: f"{path}{mark}{number}{mark}{text}",
            st.sampled_from([*FILES, "a", "# x", "C:\\a.py", "x-1-y"]),
            st.sampled_from(":-"),
            st.one_of(st.integers(0, 12), st.just("007")),
            st.sampled_from(["", "x", "  x", " ", "y\r", "1:2", "-3-"]),
        ),
        st.builds(lambda path, text: f"{path}:{text}", st.sampled_from(FILES), st.sampled_from(["", "x", " x", "12"])),
        st.sampled_from(["", "--", "= x", " x", "# a.py", "3:x", "1,2:x", "Binary file x matches"]),
        st.text(max_size=12),
    )
)


@settings(max_examples=60)
@given(LINES)
def test_a_lossless_view_gives_the_exact_text_back(lines: list[str]) -> None:
    text = "\n".join([*lines, *results(1).split("\n"), *lines])
    packed = KIND.pack(Source(text))
    assert packed is not None
    assert KIND.unpack(packed) == text


@settings(max_examples=60)
@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    text = results() + text
    packed = KIND.pack(Source(text))
    assert packed is None or KIND.unpack(packed) == text
    KIND.fits(Source(text))
    KIND.shorten(Source(text), brief(50))
    if text != packed:
        with pytest.raises(DecodeError):
            KIND.unpack(text)


def test_the_lossless_view_names_a_path_once_for_its_lines() -> None:
    text = results()
    packed = KIND.pack(Source(text))
    assert isinstance(KIND, Reversible)
    assert packed is not None
    assert packed.startswith("[[grep: ")
    assert KIND.unpack(packed) == text
    assert COUNT(packed) < 0.6 * COUNT(text)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_line_ends_are_kept(end: str) -> None:
    text = results().replace("\n", "\r\n").rstrip() + end
    assert KIND.unpack(KIND.pack(Source(text)) or "") == text


def test_every_match_stands_under_its_file_and_context_is_left_out() -> None:
    text = results(context=2)
    draft = KIND.shorten(Source(text), brief())
    assert draft is not None
    under: dict[str, set[int]] = {}
    path = ""
    for line in draft.text.split("\n")[1:]:
        if line.startswith("# "):
            path = line[2:]
        else:
            numbers, _, _ = line.partition(":")
            under.setdefault(path, set()).update(map(int, numbers.split(",")))
    assert under == {path: {match * 9 for match in range(1, 31)} for path in FILES}
    assert "before" not in draft.text
    assert [expand(text, ref.removeprefix("v4:")) for ref in draft.refs] == [text]
    assert 'expand("hits", "v4:lines:1-' in draft.text


def test_indentation_that_is_left_out_can_be_had() -> None:
    text = results()
    draft = KIND.shorten(Source(text), brief())
    assert draft is not None
    assert ":raise" in draft.text
    assert [expand(text, ref.removeprefix("v4:")) for ref in draft.refs] == [text]


def test_results_without_numbers_are_read() -> None:
    text = "\n".join(f"{path}:    raise it {n}" for path in FILES for n in range(20))
    assert KIND.fits(Source(text)) > 0.5
    packed = KIND.pack(Source(text))
    assert packed is not None
    assert KIND.unpack(packed) == text
    assert COUNT(packed) < 0.7 * COUNT(text)
    draft = KIND.shorten(Source(text), brief())
    assert draft is not None
    assert f"# {FILES[0]}\n raise it 0\n raise it 1" in draft.text


def test_headings_of_ripgrep_are_read() -> None:
    text = "\n".join(f"{path}\n3-before\n4:raise it\n5-after\n--\n9:raise that\n" for path in FILES)
    assert KIND.fits(Source(text)) > 0.5
    draft = KIND.shorten(Source(text), brief())
    assert draft is not None
    assert draft.text.count("4:raise it\n9:raise that") == len(FILES)
    assert "after" not in draft.text


@pytest.mark.parametrize("budget", [50, 80, 150, 400, 1500])
@pytest.mark.parametrize("context", [0, 3])
def test_a_budget_is_kept_and_paths_come_first(budget: int, context: int) -> None:
    draft = KIND.shorten(Source(results(context)), brief(budget))
    assert draft is not None
    assert COUNT(draft.text) <= budget
    if budget >= 150:
        assert all(path in draft.text for path in FILES)
    if budget <= 150:
        assert draft.refs


def test_words_of_the_query_are_kept_under_a_budget() -> None:
    text = results() + "src/late.py:7:the needle is here\n"
    draft = KIND.shorten(Source(text), brief(100, "needle"))
    assert draft is not None
    assert re.search(r"# src/late\.py\n7:the needle is here", draft.text)
    before = KIND.shorten(Source(results(2)), brief(None, "before"))
    assert before is not None
    assert "9-# before 1" in before.text.replace("8-", "9-")


def test_it_knows_search_results_from_logs_and_prose() -> None:
    assert KIND.fits(Source(results())) > 0.8
    assert KIND.fits(Source(results(3))) > 0.8
    assert KIND.fits(Source("\n".join(f"2026-01-01 12:30:{n} INFO all well" for n in range(60)))) == 0
    assert KIND.fits(Source("A sentence.\n" * 40)) == 0
    assert KIND.fits(Source("\n".join(f"{n}: line" for n in range(60)))) == 0


@pytest.mark.parametrize("text", ["x" * 1_000_000, "a:1:" * 200_000, "-1-" * 300_000, "a.py:1:x\n" * 50_000])
def test_hostile_lines_are_read_at_once(text: str) -> None:
    packed = KIND.pack(Source(text))
    assert packed is None or KIND.unpack(packed) == text
    KIND.shorten(Source(text), brief(200))


def test_files_without_a_shown_match_share_rows_by_folder() -> None:
    text = "".join(f"src/shop/parts/part{n}.py:7:    raise ValueError({n})\n" for n in range(30))
    draft = KIND.shorten(Source(text), brief(220))
    assert draft is not None
    assert COUNT(draft.text) <= 220
    assert draft.text.count("src/shop/parts/") < 15
    assert sum(f"part{n}.py" in draft.text for n in range(30)) > 20
