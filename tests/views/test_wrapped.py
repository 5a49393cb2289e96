"""JSON that is a frame around one long text: the frame is told, and the text by its own kind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sharedctx.tokens import Estimate
from sharedctx.views import compress, expand, split_version

count = Estimate("estimate")
ROWS = json.dumps([{"id": n, "status": "failed" if n == 55 else "ok", "v": n * 7 % 90} for n in range(300)])
LINES = [f"2026-03-01 10:{n // 60:02}:{n % 60:02} DEBUG polled queue, {n % 5} messages" for n in range(400)]
LINES[200] = "2026-03-01 10:03:20 ERROR job 8812 crashed: disk full"
LOG = "\n".join(LINES)

FRAMES: dict[str, tuple[Any, str, str, str]] = {
    "a tool's answer": (
        {"content": [{"type": "text", "text": ROWS}], "isError": False},
        "path:$.content[0].text",
        '"isError":false',
        "\n55: 55,failed,25\n",
    ),
    "a shell's answer": (
        {"stdout": LOG, "stderr": "", "exit code": 1},
        "path:$.stdout",
        '"exit code":1',
        f"\n201: {LINES[200]}\n",
    ),
}


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("budget", [None, 300])
@pytest.mark.parametrize("indent", [None, 2])
def test_the_frame_and_what_tells_in_the_text_are_told(frame: str, budget: int | None, indent: int | None) -> None:
    value, ref, around, odd = FRAMES[frame]
    content = json.dumps(value, indent=indent)
    view = compress(content, key="out", version=3, max_tokens=budget, count=count)
    assert view.tokens <= 300
    assert around in view.text
    assert odd in view.text or (budget and odd.replace("2026-03-01 ", "") in view.text)  # the date of all is told once
    assert view.refs == (f"v3:{ref}",)
    assert f'expand("out", "v3:{ref}")' in view.text
    assert expand(content, split_version(view.refs[0])[1]) in (ROWS, LOG)


@pytest.mark.parametrize("frame", FRAMES)
def test_the_view_viewed_again_stays_as_it_is(frame: str) -> None:
    for references in (True, False):
        view = compress(FRAMES[frame][0], key="out", references=references, count=count)
        assert compress(view.text, key="out", count=count).text == view.text


def test_without_references_none_is_promised() -> None:
    view = compress(FRAMES["a tool's answer"][0], key="out", references=False, count=count)
    assert "expand(" not in view.text
    assert not view.refs


def test_what_a_query_asks_of_the_text_is_told() -> None:
    view = compress(FRAMES["a tool's answer"][0], key="out", query="id 213", max_tokens=300, count=count)
    assert "213" in view.text
    assert view.tokens <= 300


def test_a_document_with_more_than_a_frame_is_told_as_a_document() -> None:
    value = {"log": LOG, "parts": [{"name": f"part {n}", "sizes": list(range(n % 9))} for n in range(400)]}
    view = compress(value, key="out", count=count)
    assert view.transforms[0].startswith("json:columns:")
    assert "\n399: 399," in view.text
