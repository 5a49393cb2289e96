"""Lists and dicts as Python prints them, which is how frameworks turn what a tool returns into text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sharedctx.tokens import Estimate
from sharedctx.views import compress, decompress, expand

count = Estimate("estimate")
ROWS = [
    {"id": n, "host": f"web-{n % 7}", "up": n != 411, "note": None, "said": 'it\'s "fine"\n' if n % 9 else "ok"}
    for n in range(900)
]
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
_VALUES = st.recursive(_LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30)


def test_they_are_told_as_the_same_data_in_json_is() -> None:
    printed, spelled = (compress(text, key="k", max_tokens=300, count=count) for text in (str(ROWS), json.dumps(ROWS)))
    assert printed.kind == spelled.kind == "rows"
    assert printed.text == spelled.text
    assert "411: 411,web-5,false" in printed.text
    assert printed.refs
    assert compress(str({"items": ROWS, "next": None}), key="k", count=count).kind == "json"


def test_a_lossless_view_gives_the_data() -> None:
    view = compress(str(ROWS), mode="lossless", count=count)
    assert view.lossless
    assert view.tokens < 0.5 * view.original_tokens
    assert decompress(view) == ROWS


@given(st.dictionaries(st.text(), _VALUES, min_size=1))
@example({"'": '"', '"': "'", "\\": "\\n\n\t\r\x00\x7f\u2028\U0001f600", "e": [1e-05, 1e16, -0.0, 10**30]})
@example({"lone": "\ud800"})
def test_references_lead_into_whatever_was_printed(value: dict[str, Any]) -> None:
    assert expand(str(value), "path:$") == expand(json.dumps(value), "path:$")


@pytest.mark.parametrize(
    "text",
    [
        "{'a': datetime.date(2026, 1, 1)}",
        "{'a': (1, 2)}",
        "{1: 'a'}",
        "{'a', 'b'}",
        "['a', b'b']",
        "['a' 'b']",
        "{'a': 1, 'a': 2}",
        "{'a': 1.12345678901234567890}",
        r"['\q']",
        r"['\U99999999']",
        "[12:00:01] it's up [web-1]",
    ],
)
def test_what_has_no_like_in_json_stays_text(text: str) -> None:
    assert compress(text, count=count).kind == "text"
    assert expand(text, "path:$") == json.dumps([text], separators=(",", ":"), ensure_ascii=False)
