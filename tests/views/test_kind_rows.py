"""Views of arrays of objects: columns, sequences and derived columns; the telling rows, and markers for the others."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from sharedctx.tokens import Estimate
from sharedctx.views import compress, expand, split_version
from sharedctx.views.kind import Brief, Source
from sharedctx.views.kinds.rows import KIND
from sharedctx.views.view import Marks

count = Estimate("estimate")


def brief(budget: int | None = None, *wanted: str) -> Brief:
    return Brief(budget, count, wanted, Marks("key", 1))


def source(value: Any) -> Source:
    return Source(json.dumps(value), value)


def orders(size: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {
            "id": 500 + n,
            "url": f"https://shop.example/orders/{500 + n}",
            "state": "paid",
            "customer": {"name": f"name {n % 7}", "country": "NL"},
            "total": (n * 37) % 100 + 0.5,
        }
        for n in range(size)
    ]
    rows[size // 2]["total"] = 99_999.5
    rows[size // 3]["state"] = "refused"
    rows[size // 4]["total"] = "unknown"
    return rows


def test_columns_say_once_what_rows_repeat() -> None:
    rows = orders(200)
    packed = KIND.pack(source(rows))
    assert packed is not None
    head = packed.splitlines()[1]
    assert "id=(500 +1)" in head
    assert 'url~"https://shop.example/orders/{id}"' in head
    assert "country=NL" in head
    assert count(packed) < 0.3 * count(json.dumps(rows))
    assert KIND.unpack(packed) == rows


def test_groups_of_rows_have_one_line_for_what_they_share() -> None:
    rows = [{"series": f"group {n // 20}", "month": n % 12 + 1, "rate": n * 31 % 17} for n in range(200)]
    packed = KIND.pack(source(rows))
    assert packed is not None
    assert packed.count("group 3") == 1
    assert KIND.unpack(packed) == rows


def test_the_standard_view_keeps_what_stands_out() -> None:
    rows = orders(400)
    draft = KIND.shorten(source(rows), brief())
    assert draft is not None
    assert count(draft.text) < 0.1 * count(json.dumps(rows))
    for fact in ("99999.5", "refused", "unknown", "0: 500", "399: 899"):
        assert fact in draft.text
    shown = {int(found) for found in re.findall(r"^(\d+): ", draft.text, re.M)}
    (ref,) = draft.refs
    first, last = map(int, split_version(ref)[1].removeprefix("rows:").split("-"))
    assert shown | set(range(first, last + 1)) == set(range(400))
    assert json.loads(expand(rows, split_version(ref)[1]).splitlines()[0]) == rows[first]


@pytest.mark.parametrize(
    ("usual", "most"), [("{}ms", "14.2s"), ("{}Mi", "3Gi"), ("{}%", "1004%"), ("${}.10", "$2990.00"), ("{} kB", "2 MB")]
)
def test_extremes_of_measures_with_units_are_shown(usual: str, most: str) -> None:
    rows = [{"id": f"job-{n * 7919 % 997:x}", "used": usual.format(n * 37 % 900 + 20)} for n in range(400)]
    rows[223]["used"] = most
    draft = KIND.shorten(source(rows), brief())
    assert draft is not None
    assert f"{rows[223]['id']},{most}" in draft.text
    assert count(draft.text) < 0.15 * count(json.dumps(rows))


def test_extremes_of_amounts_in_quotes_are_shown_and_those_of_numbered_names_are_not() -> None:
    rows = [{"code": f"{10_000_000 + n * 7919}", "paid": f"{n * 37 % 900 + 20}.50", "at": n % 7} for n in range(400)]
    rows[223]["paid"], rows[301]["paid"], rows[111]["code"] = "90120.75", "-412.50", "99999999"
    draft = KIND.shorten(source(rows), brief())
    assert draft is not None
    assert "90120.75" in draft.text
    assert "-412.50" in draft.text
    assert "99999999" not in draft.text


def test_names_and_numbers_are_never_cut() -> None:
    rows = [{"base": f"web-{n}-", "name": f"web-{n}-x{n * 7919:05x}", "at": 1_700_000_000 + n * n} for n in range(50)]
    packed = KIND.pack(source(rows))
    assert packed is not None
    assert all(row["name"] in packed and str(row["at"]) in packed for row in rows)


@pytest.mark.parametrize("budget", [50, 100, 250, 600])
def test_a_budget_is_kept_and_the_query_too(budget: int) -> None:
    rows = orders(400)
    rows[222]["customer"]["name"] = "Pomegranate Ltd"
    draft = KIND.shorten(source(rows), brief(budget, "pomegranate"))
    assert draft is not None
    assert count(draft.text) <= budget
    assert "Pomegranate" in draft.text


def test_without_references_markers_promise_nothing() -> None:
    draft = KIND.shorten(source(orders(400)), Brief(None, count, (), Marks(None, None)))
    assert draft is not None
    assert "omitted]]" in draft.text
    assert "expand(" not in draft.text


def test_only_arrays_of_like_objects_fit() -> None:
    assert KIND.fits(source(orders(20))) > 0.8
    assert KIND.fits(source([1, 2, 3, 4])) == 0.0
    assert KIND.fits(source({"a": 1})) == 0.0
    assert KIND.fits(source([{f"n{n}": 1} for n in range(50)])) < 0.5


def test_a_row_that_does_not_begin_or_end_like_the_others_is_kept() -> None:
    rows = [{"id": n * 7919 % 10007, "status": "Up 3 days" if n != 211 else "Exited (137)"} for n in range(400)]
    times = [{"id": n * 7919 % 10007, "took": f"{n % 80 + 3}ms" if n != 87 else "91842ms"} for n in range(400)]
    assert "\n211: " in compress(rows, key="k").text
    assert "\n87: " in compress(times, key="k").text
