"""Packed JSON gives every value back, and standard views of documents keep names and can be redeemed."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.errors import DecodeError
from sharedctx.tokens import Estimate
from sharedctx.views import expand, split_version
from sharedctx.views.columns.packing import pack_value, unpack_value
from sharedctx.views.kind import Brief, Source
from sharedctx.views.kinds.json import KIND
from sharedctx.views.view import Marks

_spec = importlib.util.spec_from_file_location("packed_json", Path(__file__).with_name("packed_json.py"))
assert _spec is not None
assert _spec.loader is not None
made = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(made)

count = Estimate("estimate")


def brief(budget: int | None = None, *wanted: str) -> Brief:
    return Brief(budget, count, wanted, Marks("key", 1))


def source(value: Any) -> Source:
    return Source(json.dumps(value, ensure_ascii=False), value)


@settings(max_examples=60)
@given(made.documents)
def test_a_packed_value_is_read_back_exactly(value: Any) -> None:
    packed = pack_value("json", "x", value)
    assert packed is not None
    assert packed.startswith("[[json: ")
    assert made.same(unpack_value("json", packed), value)


@settings(max_examples=60)
@given(st.text(alphabet='@&*^![]{}()<>#,;:."~$=|+-\n123ab', max_size=40))
def test_what_no_writer_wrote_is_refused_or_read(body: str) -> None:
    with contextlib.suppress(DecodeError):
        KIND.unpack("[[json: x]]\n" + body)


@pytest.mark.parametrize(
    "text",
    ["", "[[json: x]]", "[[rows: x]]\n{}", "{}", "[[json: x]]\n" + "[" * 100_000, "[[json: x]]\n@99999999[a=1]\n"],
)
def test_nonsense_raises_decode_errors(text: str) -> None:
    with pytest.raises(DecodeError):
        KIND.unpack(text)


def test_equal_looking_values_are_told_apart() -> None:
    value = {"rows": [{"a": item} for item in (1, 1.0, True, "1", "true", None, "null", "", 0.0, -0.0)]}
    packed = KIND.pack(Source(json.dumps(value, indent=8), value))
    assert packed is not None
    assert made.same(KIND.unpack(packed), value)


def test_rows_of_constants_have_no_lines() -> None:
    value = {"items": [{"kind": "pod", "ok": True}] * 12}
    packed = KIND.pack(source(value))
    assert packed is not None
    assert "\n\n" not in packed
    assert len(packed.splitlines()) <= 4
    assert KIND.unpack(packed) == value


def test_repeated_objects_and_addresses_are_spelled_once() -> None:
    owner = {"login": "octo", "url": "https://example.org/users/octo", "admin": False}
    value = {
        "owner": owner,
        "repo": {"owner": owner, "name": "x"},
        "issues": [{"number": n, "url": f"https://example.org/repos/octo/x/issues/{n}"} for n in range(40)],
    }
    packed = KIND.pack(source(value))
    assert packed is not None
    assert packed.count("https://example.org/users/octo") == 1
    assert packed.count("https://example.org/repos") == 1
    assert KIND.unpack(packed) == value


def pods(size: int) -> dict[str, Any]:
    return {
        "kind": "List",
        "items": [
            {
                "metadata": {"name": f"web-{n}-x{n * 7919 % 997}", "uid": f"{n * 104729:032x}"},
                "status": {
                    "phase": "CrashLoopBackOff" if n == 77 else "Running",
                    "restarts": 912 if n == 33 else n % 3,
                },
                "log": f"line {n} of the log\n" * 60 if n == 0 else "quiet",
            }
            for n in range(size)
        ],
    }


def test_a_standard_view_keeps_what_stands_out_and_redeems_the_rest() -> None:
    value = pods(200)
    draft = KIND.shorten(source(value), brief(2000))
    assert draft is not None
    assert count(draft.text) <= 2000
    for fact in ("CrashLoopBackOff", "web-77-x", "912", "web-0-x0", "web-199-x"):
        assert fact in draft.text
    numbers = {int(found) for found in re.findall(r"^(\d+): ", draft.text, re.M)}
    spans = [re.search(r"items\[(\d+):(\d+)\]", ref) for ref in draft.refs]
    left_out = {n for span in spans if span for n in range(int(span[1]), int(span[2]))}
    assert numbers | left_out == set(range(200))
    for ref in draft.refs:
        assert expand(value, split_version(ref)[1])


@pytest.mark.parametrize("budget", [50, 80, 150, 300, 700, 1500, 4000])
def test_a_budget_is_kept(budget: int) -> None:
    draft = KIND.shorten(source(pods(150)), brief(budget))
    assert draft is not None
    assert count(draft.text) <= budget
    assert draft.refs


@pytest.mark.parametrize("budget", [120, 400, 2000])
def test_members_with_the_words_of_a_query_are_kept(budget: int) -> None:
    value = pods(200)
    value["items"][123]["note"] = "the pomegranate is ripe"
    draft = KIND.shorten(source(value), brief(budget, "pomegranate"))
    assert draft is not None
    assert "pomegranate" in draft.text


@settings(max_examples=40)
@given(made.documents, st.sampled_from([None, 50, 200, 1000]))
def test_any_document_is_shortened_with_references_that_redeem(value: Any, budget: int | None) -> None:
    draft = KIND.shorten(source(value), brief(budget, "a"))
    assert draft is not None
    assert draft.text
    for ref in draft.refs:
        expand(value, split_version(ref)[1])


@pytest.mark.parametrize(
    "value",
    [
        {"a": "x" * 1_000_000},
        {"a": list(range(50_000))},
        {"a": [{"k": [[{"x": n}]]} for n in range(3000)]},
        {f"key {n}": {"v": n} for n in range(20_000)},
        {"a": [{f"n{n}": n} for n in range(5000)]},
    ],
)
def test_large_and_odd_documents_are_packed_and_shortened(value: Any) -> None:
    packed = KIND.pack(source(value))
    assert packed is None or made.same(KIND.unpack(packed), value)
    draft = KIND.shorten(source(value), brief(500))
    assert draft is not None
    assert count(draft.text) <= 500
