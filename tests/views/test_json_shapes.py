"""The shapes in which APIs wrap what they answer: each is told as briefly as the bare rows, odd ones out included."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from sharedctx.tokens import Estimate
from sharedctx.views import compress, decompress, expand, split_version

count = Estimate("estimate")
WORDS = ("stone", "hill", "moor", "reed", "ford")


def rows(size: int = 400) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [
        {
            "id": 1000 + n,
            "name": f"{WORDS[n % 5]} {WORDS[n % 3]}",
            "state": "suspended" if n == 217 else "active" if n % 3 else "inactive",
            "balance": n * 7919 % 9000 / 10,
            "tags": [WORDS[n % 5][0], WORDS[n % 4][1]],
        }
        for n in range(size)
    ]
    if size > 301:
        made[301]["error"] = "card declined"
    return made


SHAPES: dict[str, Any] = {
    "results": {"count": 400, "next": "https://example.org/users?page=2", "results": rows()},
    "data": {"data": {"rows": rows()}, "took": 3},
    "two tables": {"first": rows(), "second": rows()},
    "hits": {"hits": {"total": 400, "hits": [{"_id": str(n), "_source": row} for n, row in enumerate(rows())]}},
    "edges": {"data": {"users": {"edges": [{"cursor": f"c{n}", "node": row} for n, row in enumerate(rows())]}}},
    "by name": {f"user-{row['id']}": row for row in rows()},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_rows_inside_of_an_object_are_told_like_bare_rows(shape: str) -> None:
    view = compress(SHAPES[shape], key="users", count=count)
    bare = compress(rows(), key="users", count=count)
    assert view.tokens < 3 * bare.tokens
    assert view.tokens < 0.1 * view.original_tokens
    assert "suspended" in view.text
    assert "card declined" in view.text
    for ref in view.refs:
        assert expand(SHAPES[shape], split_version(ref)[1])


def test_a_short_table_inside_of_an_object_keeps_about_half() -> None:
    value = {"items": rows(60), "next": None}
    view = compress(value, key="users", count=count)
    assert 0.2 * view.original_tokens < view.tokens < 0.6 * view.original_tokens


ODD: dict[str, tuple[Any, str]] = {
    "numbers": ({"loss": [n % 90 + 10 for n in range(900)] + [7777] + [n % 90 + 10 for n in range(900)]}, "[900]:7777"),
    "texts": (["ready"] * 500 + ["crashed"] + ["ready"] * 500, "[500]:crashed"),
    "an error": ([f"step {n} done" for n in range(500)] + ["error: disk full"] + ["step x"] * 90, "error: disk full"),
    "pairs": ([[1700000000 + 15 * n, "0" if n == 170 else "1"] for n in range(400)], '[170]:[1700002550,"0"]'),
    "records": ([[n, WORDS[n % 5], n * 7 % 90 if n != 333 else 12345] for n in range(900)], "[333]:[333,reed,12345]"),
    "a type": ([*range(300), None, *range(300)], "[300]:null"),
    "NaN": ({"loss": [1 / (n + 1) for n in range(600)] + [math.nan] + [0.5] * 300}, "[600]:NaN"),
}


@pytest.mark.parametrize("case", ODD)
def test_the_odd_part_of_a_long_array_is_told_with_its_place(case: str) -> None:
    value, odd = ODD[case]
    view = compress(value, key="series", count=count)
    assert odd in view.text
    assert view.tokens < 0.4 * view.original_tokens
    (ref,) = view.refs
    assert expand(value, split_version(ref)[1])


def test_of_a_long_array_of_numbers_the_range_is_told() -> None:
    view = compress({"loss": [n * 7919 % 5000 for n in range(5000)]}, key="series", count=count)
    assert "(all: 0..4999 mean 2500)" in view.text


@pytest.mark.parametrize("indent", [None, 2])
def test_rows_with_nan_are_rows(indent: int | None) -> None:
    value = rows()
    value[5]["balance"], value[6]["balance"], value[7]["name"] = math.nan, -math.inf, "NaN"
    text = json.dumps(value, indent=indent)
    view = compress(text, key="users", count=count)
    assert (view.kind, view.transforms[0][:13]) == ("rows", "rows:columns:")
    assert view.tokens < 0.1 * view.original_tokens
    assert "\n5: 1005,stone moor,,NaN" in view.text
    assert expand(text, "rows:6").count("-Infinity") == 1
    packed = compress(text, mode="lossless", count=count)
    assert packed.lossless
    assert json.dumps(decompress(packed.text)) == json.dumps(value)
