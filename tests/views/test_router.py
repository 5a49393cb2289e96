"""The way from a value to its view: kinds, modes, budgets, queries, and the check before a view leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sharedctx.errors import DecodeError, InvalidValue
from sharedctx.tokens import Estimate
from sharedctx.views import View, compress, decompress, expand, registry, split_version
from sharedctx.views.kind import Brief, Draft, Source

count = Estimate("estimate")


class Shout:
    """A kind of text in capitals: its standard view is ``made``, its lossless one writes how often a line repeats."""

    name = "shout"

    def __init__(self, made: Callable[[str], str | None] = lambda text: text[: len(text) // 20]) -> None:
        self.made = made
        self.budgets: list[int | None] = []

    def fits(self, source: Source) -> float:
        return 1.0 if source.text.isupper() else 0.0

    def shorten(self, source: Source, brief: Brief) -> Draft | None:
        self.budgets.append(brief.budget)
        made = self.made(source.text)
        return None if made is None else Draft(made, "whispered", (brief.marks.ref("all"),))

    def pack(self, source: Source) -> str | None:
        lines = source.text.split("\n")
        return f"[[shout: {len(lines)} times]]\n{lines[0]}" if set(lines) == {lines[0]} else None

    def unpack(self, text: str) -> Any:
        legend, _, line = text.partition("\n")
        number = legend.removeprefix("[[shout: ").removesuffix(" times]]")
        if not number.isdigit():
            raise DecodeError("no number of times")
        return "\n".join([line] * int(number))


@pytest.fixture
def shout(monkeypatch: pytest.MonkeyPatch) -> Shout:
    kind = Shout()
    monkeypatch.setattr(registry, "TEXT", (kind, registry.TEXT[-1]))
    return kind


LOUD = "\n".join(f"LINE {n} OF MANY SHOUTS" for n in range(1000))
SAME = "\n".join(["THE SAME AGAIN AND AGAIN"] * 500)
QUIET = "\n".join(f"line {n} of a quiet text" for n in range(1000))


def test_the_surest_kind_makes_the_view(shout: Shout) -> None:
    view = compress(LOUD, count=count)
    assert view.kind == "shout"
    assert view.text == LOUD[: len(LOUD) // 20]
    assert view.transforms == (f"shout:whispered:{view.tokens / view.original_tokens:.2f}",)
    assert compress(QUIET, count=count).kind == "text"


def test_a_kind_can_be_named(shout: Shout) -> None:
    assert compress(QUIET, kind="shout", count=count).text == QUIET[: len(QUIET) // 20]
    assert compress(LOUD, kind="text", count=count).transforms[0].startswith("text:head-tail:")
    with pytest.raises(InvalidValue, match="'whisper' is none of"):
        compress(QUIET, kind="whisper", count=count)


def test_where_a_kind_has_nothing_the_generic_view_is_taken(shout: Shout) -> None:
    for poor in (lambda text: None, lambda text: "", lambda text: text + "more", lambda text: text):
        shout.made = poor
        assert compress(LOUD, count=count).transforms[0].startswith("shout:head-tail:")


def test_a_kind_over_the_budget_gives_way_to_one_within(shout: Shout) -> None:
    view = compress(LOUD, max_tokens=100, key="k", count=count)
    assert shout.budgets == [100]
    assert 0 < view.tokens <= 100
    assert "expand(" in view.text


def test_a_view_that_saves_next_to_nothing_gives_way_to_the_original(shout: Shout) -> None:
    shout.made = lambda text: text[:-40]
    view = compress("\n".join(LOUD.split("\n")[:100]), count=count)
    assert view.transforms == ()
    assert view.lossless


def test_the_lossless_view_is_taken_where_it_saves_as_much(shout: Shout) -> None:
    shout.made = lambda text: text[: len(text) // 3]
    view = compress(SAME, count=count)
    assert view.lossless
    assert view.refs == ()
    assert decompress(view) == decompress(view.text) == SAME


def test_lossless_mode_gives_the_lossless_view_or_the_original(shout: Shout) -> None:
    packed = compress(SAME, mode="lossless", count=count)
    assert packed.transforms[0].startswith("shout:lossless:0.0")
    assert decompress(packed.text) == SAME
    assert compress(LOUD, mode="lossless", count=count) == View(LOUD, "shout", count(LOUD), count(LOUD), lossless=True)


def test_lossless_mode_over_its_budget_is_a_standard_view_that_says_so(shout: Shout) -> None:
    view = compress(LOUD, mode="lossless", max_tokens=100, count=count)
    assert view.tokens <= 100
    assert not view.lossless


def test_a_lossless_view_that_would_not_come_back_is_not_used(shout: Shout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shout, "unpack", lambda self, text: text)
    assert compress(SAME, mode="lossless", count=count).text == SAME


def test_a_mode_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidValue, match="'exact' is neither"):
        compress("text", mode="exact")  # type: ignore[arg-type]


VALUE = [{"n": n, "name": f"row {n}", "list": [True, 1, 1.0, None]} for n in range(200)]


@pytest.mark.parametrize("content", [VALUE, json.dumps(VALUE, indent=2), json.dumps(VALUE, indent=2).encode()])
def test_a_lossless_view_of_json_gives_the_value(content: Any) -> None:
    view = compress(content, mode="lossless", count=count)
    assert view.lossless
    assert json.dumps(decompress(view)) == json.dumps(decompress(view.text)) == json.dumps(VALUE)


@pytest.mark.parametrize("content", [None, True, 5, 1.5, "5", "text", "", "[1, 2]x", {}, [], {"a": [1]}])
def test_what_is_left_untouched_comes_back_in_its_type(content: Any) -> None:
    found = decompress(compress(content, count=count))
    assert type(found) is type(content)
    assert found == content


def test_an_original_that_starts_like_a_lossless_view_comes_back_from_its_view(shout: Shout) -> None:
    for text in ("[[shout: 3 times]]\nHELLO", "[[shout: x]]\n" + LOUD):
        assert decompress(compress(text, mode="lossless", count=count)) == text


def test_a_view_that_left_something_out_is_not_taken_for_the_original() -> None:
    with pytest.raises(DecodeError, match='mode="lossless"'):
        decompress(compress(QUIET, key="k", count=count))


def test_nonsense_with_a_legend_does_not_decompress(shout: Shout) -> None:
    with pytest.raises(DecodeError):
        decompress("[[shout: often]]\nHELLO")


@pytest.mark.parametrize("content", [QUIET, VALUE, "x" * 50_000])
def test_without_references_nothing_is_promised(content: Any) -> None:
    view = compress(content, key="k", references=False, max_tokens=200, count=count)
    assert view.refs == ()
    assert "expand(" not in view.text


@pytest.mark.parametrize("content", [QUIET, VALUE, "\n".join(f"ERROR {n} of many" for n in range(900))])
def test_a_view_viewed_again_stays_as_it_is(content: Any) -> None:
    for key in ("k", None):
        view = compress(content, key=key, version=1, count=count)
        assert view.transforms
        assert compress(view.text, key="other", count=count).text == view.text
    page = expand(content, "all", key="k", max_tokens=1000, count=count)
    assert compress(page, key="other", count=count).text == page


@pytest.mark.parametrize("references", [True, False])
@pytest.mark.parametrize(
    "content",
    [
        "import os\n" + "".join(f"def part{n}(a):\n    b = a + {n}\n    return b * {n}\n\n" for n in range(900)),
        "--- a/x.py\n+++ b/x.py\n@@ -1,4000 +1,4000 @@\n"
        + " same\n" * 500
        + "".join(f"+new {n}()\n same\n" for n in range(3500)),
        {"pods": [{f"name of member {m}": n * m for m in range(9)} for n in range(400)], "words": ["long " * 90] * 60},
        "".join(f"# Part {n}\n\nMuch is said here of part {n}. More of it follows.\n\n" for n in range(900)),
    ],
    ids=["code", "diff", "json", "markdown"],
)
def test_a_view_with_one_legend_for_all_its_gaps_stays_as_it_is(content: Any, references: bool) -> None:
    view = compress(content, key="k", references=references, count=count)
    assert view.transforms
    assert compress(view.text, key="other", count=count).text == view.text


def test_a_packed_view_viewed_again_stays_as_it_is(shout: Shout) -> None:
    shout.made = lambda text: None
    wide = "\n".join(["LOUD WORDS " * 100] * 30)
    packed = compress(wide, mode="lossless", count=count).text
    assert count(packed) > 200
    assert compress(packed, count=count).text == packed


def test_the_original_is_counted_once() -> None:
    counted = []

    class Counter:
        name = "counts its calls"

        def __call__(self, text: str) -> int:
            counted.append(text)
            return count(text)

    compress(LOUD, key="k", count=Counter())
    assert counted.count(LOUD) == 1


@pytest.mark.parametrize("limit", [50, 60, 100, 500, 5000])
@pytest.mark.parametrize("measure", [count, len, lambda text: len(text.encode())])
def test_no_budget_is_exceeded_by_any_counter(limit: int, measure: Any) -> None:
    for content in (QUIET, VALUE, "x" * 9000, b"\xff" * 9000, "\u65e5\u672c" * 4000, {"a": "b" * 9000}):
        for key in ("k", "k" * 400, None):
            view = compress(content, key=key, version=12, max_tokens=limit, query="row 7", count=measure)
            assert 0 < view.tokens == measure(view.text) <= limit


@pytest.mark.parametrize("limit", [None, 60, 120, 400])
@pytest.mark.parametrize(
    "content",
    [
        QUIET.replace("line 777 of", "line 777 with zebra of"),
        [*VALUE[:77], {"n": 77, "name": "zebra", "list": []}, *VALUE[77:]],
        "word " * 9000 + "the zebra is here " + "word " * 9000,
        {"deep": {"list": ["x" * 300] * 40, "animal": "zebra", "more": ["y" * 300] * 40}},
    ],
)
def test_what_the_query_asks_for_is_in_the_view(content: Any, limit: int | None) -> None:
    view = compress(content, key="k", version=3, query="Where is the Zebra?", max_tokens=limit, count=count)
    assert "zebra" in view.text
    assert limit is None or view.tokens <= limit


def test_errors_and_rare_words_that_a_kind_forgets_are_added(shout: Shout) -> None:
    lines = LOUD.split("\n")
    lines[600] = "2024-05-01 ERROR THE DISK OF HOST 7 IS FULL"
    lines[700] = "LINE 700 OF MANY GIRAFFES"
    view = compress("\n".join(lines), key="k", version=3, count=count)
    assert view.text.startswith("LINE 0 OF MANY SHOUTS")
    assert f"\n601: {lines[600]}" in view.text
    assert f"\n701: {lines[700]}" in view.text


def test_thousands_of_errors_do_not_make_a_view_long(shout: Shout) -> None:
    text = "\n".join(f"ERROR NUMBER {n} OF {'ABCDEFGHIJ'[n % 10] * (n % 13 + 3)}" for n in range(3000))
    view = compress(text, key="k", count=count)
    assert view.tokens < 0.2 * view.original_tokens


def test_a_users_own_strategy_for_text_serves_the_kinds_that_have_none_of_their_own(shout: Shout) -> None:
    own = {"text": lambda text: "as text", "shout": lambda text: "as a shout"}
    assert compress(LOUD, compressors=own, count=count).text == "as a shout"
    assert compress(LOUD, compressors={"text": own["text"]}, count=count).text == "as text"
    assert compress(VALUE, compressors=own, count=count).text != "as text"


def test_a_users_own_strategy_over_the_budget_gives_way() -> None:
    view = compress(QUIET, compressors={"text": lambda text: text[:-10]}, max_tokens=80, count=count)
    assert view.tokens <= 80


def test_every_reference_of_a_view_names_the_version() -> None:
    view = compress(QUIET, key="k", version=7, max_tokens=300, query="line 500", count=count)
    assert view.refs
    assert {split_version(ref)[0] for ref in view.refs} == {7}


def test_texts_of_kinds_without_a_lossless_view_share_that_of_lines() -> None:
    lines = [f"<li><a href='/simple/package-{n}/'>package-{n} of the index</a></li>" for n in range(400)]
    page = "<html><body><ul>\n" + "\n".join(lines) + "\n</ul></body></html>\n"
    view = compress(page, mode="lossless", count=count)
    assert (view.kind, view.lossless) == ("html", True)
    assert view.tokens < 0.8 * view.original_tokens
    assert decompress(view) == decompress(view.text) == page
