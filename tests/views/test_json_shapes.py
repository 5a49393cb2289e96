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


def test_what_the_names_of_columns_leave_out_can_be_had() -> None:
    value = {"files": {f"f{n}.py": {"lines": list(range(900)), "missing": [n % 7]} for n in range(60)}}
    for budget in (None, 400):
        view = compress(value, key="report", max_tokens=budget, count=count)
        (header,) = [line for line in view.text.split("\n") if line.startswith("{files:@60<")]
        assert "lines=[0,1," in header
        for ref in view.refs:
            assert expand(value, split_version(ref)[1])
        assert json.loads(expand(value, split_version(view.refs[0])[1]))["lines"][450] == 450


@pytest.mark.parametrize("budget", [300, 500])
def test_in_a_small_budget_the_error_comes_before_the_last_rows(budget: int) -> None:
    calls = [
        {"id": n, "said": "refused: no such table" if n == 217 else f"{n} " + "told in many words " * 30}
        for n in range(400)
    ]
    view = compress({"calls": calls, "next": None}, key="calls", max_tokens=budget, count=count)
    assert "217: 217,refused: no such table" in view.text
    assert view.tokens <= budget


@pytest.mark.parametrize("budget", [300, 450, 600])
def test_a_budget_below_what_a_table_takes_is_filled_with_its_rows(budget: int) -> None:
    odd = [{f"n{k}": (n * 37 + k) % 90 + (9000 + n if n == 20 * k + 5 else 0) for k in range(12)} for n in range(300)]
    assert compress(odd, key="odd", count=count).tokens > budget
    view = compress(odd, key="odd", max_tokens=budget, count=count)
    assert view.transforms[0].startswith("rows:columns:")
    assert 0.75 * budget <= view.tokens <= budget


def test_where_nothing_but_an_outline_fits_it_tells_where_the_trouble_is() -> None:
    value = {f"part {n}": {f"{n} {k}": [f"fine {n}", {"said": f"fine {k}"}] for k in range(9)} for n in range(200)}
    value["part 150"]["150 4"][1] = {"said": "connection refused"}
    view = compress(value, key="k", max_tokens=150, count=count)
    assert '"part 150":{"150 4":[…1,{said:connection refused}]}' in view.text
