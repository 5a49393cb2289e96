"""A query finds the line, row or window that has its words, and says where it is."""

from __future__ import annotations

import json
import random
import sqlite3
from typing import Any

import pytest

from sharedctx.tokens import Estimate
from sharedctx.views import expand, fulltext

count = Estimate("estimate")
WORDS = [
    f"{a}{b}{c}" for a in ("con", "re", "sub", "dis") for b in ("nect", "fuse", "mit", "play") for c in ("ion", "ed")
]


@pytest.fixture(params=["with FTS5", "without FTS5"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "without FTS5":

        def connect(*args: Any) -> sqlite3.Connection:
            raise sqlite3.OperationalError("no such module: fts5")

        monkeypatch.setattr(sqlite3, "connect", connect)
    return str(request.param)


def test_a_needle_is_found_first_by_its_words(engine: str) -> None:
    chance = random.Random(3)
    lines = [" ".join(chance.choices(WORDS, k=9)) + f" at 10.0.{n % 7}.{n}:80" for n in range(1500)]
    found = 0
    for _ in range(20):
        n = chance.randrange(len(lines))
        query = " ".join(chance.sample(lines[n].split(), 6))
        found += expand("\n".join(lines), f"query:{query}").startswith(f"{n + 1}: {lines[n]}")
    assert found >= (19 if engine == "with FTS5" else 15)


@pytest.mark.parametrize(
    "query", ["zebra", "ZEBRA!", "“zebra”", "the zebra of zebras", 'zebra" OR (NEAR*', "zebra\x00"]
)
def test_words_are_found_whatever_stands_around_them(engine: str, query: str) -> None:
    text = "a horse\na zebra\na donkey"
    assert expand(text, f"query:{query}").split("\n")[0] == "2: a zebra"


def test_an_address_counts_as_a_whole() -> None:
    text = "7 10 0 0 5432 10.0\nrefused by 10.0.0.7:5432\n0 0 0 10 7"
    assert expand(text, "query:10.0.0.7:5432").startswith("2: ")


def test_a_part_of_a_word_is_found_where_nothing_has_the_word(engine: str) -> None:
    assert expand("apple\npomegranate", "query:granat") == "2: pomegranate"
    assert expand("\u6771\u4eac\u90fd\n\u5927\u962a", "query:\u4eac") == "1: \u6771\u4eac\u90fd"


def test_nothing_found_says_so(engine: str) -> None:
    assert expand("a\nb", "query:zebra crossing") == "nothing has zebra or crossing"


def test_rows_are_found_by_their_number() -> None:
    rows = [{"n": n, "state": "lost" if n == 70 else "ok"} for n in range(200)]
    for content in (rows, json.dumps(rows, indent=1)):
        assert expand(content, "query:lost") == '70: {"n":70,"state":"lost"}'


@pytest.mark.parametrize("limit", [None, 200])
def test_in_a_long_line_a_window_is_found_that_can_be_redeemed(limit: int | None) -> None:
    text = "short\n" + "some words " * 5000 + "the zebra is here " + "more words " * 5000
    page = expand(text, "query:zebra", key="k", version=1, max_tokens=limit, count=count)
    label, _, window = page.partition(": ")
    assert "the zebra is here" in window
    assert len(window) < 1200
    assert expand(text, label.replace(" ", ":")).startswith("".join(window.partition("\n[[")[0]))


def test_a_pattern_in_a_long_line_gives_what_is_around_it() -> None:
    text = "first\n" + "some words " * 500 + "code=1234 " + "more words " * 5000
    found = expand(text, r"regex:code=\d+")
    assert found.startswith("2, at ")
    assert "code=1234 more" in found
    assert len(found) < 1000


def test_windows_cover_a_long_text_and_cut_no_word() -> None:
    text = " ".join(f"word{n}" for n in range(3000))
    units = fulltext.divide(text, None)
    seen = set()
    for unit in units:
        a, b = map(int, unit.label.removeprefix("chars ").split("-"))
        assert text[a:b] == unit.text
        seen.update(unit.text.split())
    assert seen == set(text.split())
