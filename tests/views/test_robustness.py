"""Every kind, in both modes, on anything at all: a valid view, within its budget, and the original where lossless."""

from __future__ import annotations

import json
import random
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.tokens import Estimate
from sharedctx.views import View, compress, decompress, expand, split_version
from sharedctx.views.kind import Brief, Kind, Reversible, Source
from sharedctx.views.originals import parse
from sharedctx.views.registry import JSON, TEXT, kinds
from sharedctx.views.view import Marks

count = Estimate("estimate")
count("load")
ALL = [*JSON, *TEXT]
names = pytest.mark.parametrize("kind", [None, *kinds()])
each = pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
json_kinds = {kind.name for kind in JSON}

LINES = [
    "2024-05-01 12:00:00,123 ERROR [main] connection to 10.0.0.7:5432 refused",
    '[[lines 1-2 omitted: expand("k", "v1:lines:1-2")]]',
    "[[json: minified]]",
    "[[log: A=<*>]]",
    "[[rows 5-9 omitted]]",
    '{"a": 1, "b": [1.0, true, null]}',
    '{"a":1,"a":2}',
    "[NaN, 1e400, 123456789012345678901234567890, -0.0]",
    "diff --git a/x.py b/x.py",
    "@@ -1,3 +1,4 @@",
    "+added",
    "-taken",
    "def f(a):",
    "    raise ValueError('no')",
    "src/app.py:12:    import os",
    "# HELP up Whether it is up",
    'up{job="a",instance="b:90"} 1 1700000000',
    "# Heading",
    "<html><body><p>words &amp; more</p><script>var a = '</p>';</script>",
    "name,number,when",
    '"a ""quoted"" cell",1,2024-05-01',
    "NAME    READY   STATUS",
    "web-1   1/1     Running",
    "FAILED tests/test_a.py::test_b - AssertionError: 1 != 2",
    "Traceback (most recent call last):",
    '  File "a.py", line 3, in f',
    "",
    " ",
    "\t\t",
    "x" * 300,
    "é\u0301 \u200b\ufeff \u2028 \U0001f600 \udcff",
    "\x00\x01\x1b[31m",
    "^ ~ * & \\ | \" ' `",
]
lines = st.lists(st.sampled_from(LINES) | st.text(max_size=30), max_size=60)
ends = st.sampled_from(["\n", "\r\n", "\r", "\n\n"])
texts = st.builds(lambda parts, end, last: end.join(parts) + last, lines, ends, st.sampled_from(["", "\n", "\r\n"]))
repeated = st.builds(lambda part, number: part * number, st.text(min_size=1, max_size=40), st.integers(1, 200))
keys = st.text(max_size=8) | st.sampled_from(["id", "name", "error", "role", "content", "a.b", "~", "^"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
values = st.recursive(
    scalars | st.sampled_from(LINES),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=40,
)
tables = st.lists(st.dictionaries(st.sampled_from(["id", "name", "state", "when"]), scalars), min_size=1, max_size=60)
documents = (values | tables).map(lambda value: json.dumps(value, ensure_ascii=False))
frames = st.builds(
    lambda text, times: {"content": [{"type": "text", "text": text * times}], "ok": True},
    st.sampled_from(LINES) | st.text(min_size=5, max_size=60),
    st.integers(1, 400),
)
contents = frames | texts | repeated | documents | values | tables | st.binary(max_size=400)
budgets = st.none() | st.integers(50, 400)
queries = st.none() | st.sampled_from(["error", "connection 10.0.0.7:5432", 'name\x00"', "words OR NEAR("])


def same(found: Any, wanted: Any) -> bool:
    """Equal as JSON is: 1, 1.0 and true are three values, and the order of keys counts."""
    return type(found) is type(wanted) and json.dumps(found) == json.dumps(wanted)


def original(content: Any, kind: str) -> Any:
    """What a lossless view of the content gives back."""
    text = content.decode() if isinstance(content, bytes) else content
    if kind not in json_kinds:
        return text if isinstance(text, str) else json.dumps(text, ensure_ascii=False, separators=(",", ":"))
    if not isinstance(text, str):
        return text
    value = parse(text)
    return text if value is None else value


def check(content: Any, view: View, limit: int | None) -> None:
    """What holds for every view of every content."""
    assert view.tokens == count(view.text) <= view.original_tokens
    assert limit is None or view.tokens <= limit
    if isinstance(content, str):
        assert len(view.text) <= len(content)
        assert bool(view.text) == bool(content)
    if view.lossless:
        assert same(decompress(view), original(content, view.kind))
        assert not view.refs
    for ref in view.refs:
        number, rest = split_version(ref)
        assert number == 3
        expand(content, rest)


@names
@settings(max_examples=40)
@given(contents, budgets, queries, st.sampled_from(["standard", "lossless"]))
def test_any_content_has_a_view_that_keeps_every_promise(
    kind: str | None, content: Any, limit: int | None, query: str | None, mode: Literal["standard", "lossless"]
) -> None:
    def view() -> View:
        return compress(content, mode=mode, max_tokens=limit, query=query, kind=kind, key="k", version=3, count=count)

    found = view()
    check(content, found, limit)
    assert view() == found


@each
@settings(max_examples=40)
@given(texts | repeated | documents, budgets)
def test_a_kind_takes_any_text_without_an_error(kind: Kind, text: str, limit: int | None) -> None:
    source = Source(text, parse(text)) if kind in JSON else Source(text)
    if kind in JSON and source.value is None:
        return
    brief = Brief(limit, count, ["error"], Marks("k", 1))
    assert 0.0 <= kind.fits(source) <= 1.0
    assert kind.shorten(source, brief) == kind.shorten(source, brief)
    packed = kind.pack(source) if isinstance(kind, Reversible) else None
    if isinstance(kind, Reversible) and packed is not None:
        assert packed.startswith(f"[[{kind.name}: ")
        assert same(kind.unpack(packed), source.value if kind in JSON else text)


def hostile() -> dict[str, Any]:
    deep: Any = 1
    for _ in range(500):
        deep = [deep]
    return {
        "bytes": bytes(range(256)) * 40,
        "mostly text": b"a line of text\n" * 500 + b"\xff\xfe",
        "deep json": "[" * 5000 + "]" * 5000,
        "broken deep json": '{"a":' * 50_000,
        "deep value": deep,
        "long line": "word " * 40_000,
        "longest line": "x" * 1_000_000,
        "nuls": "\x00" * 20_000,
        "mixed ends": "one\r\ntwo\nthree\rfour\n\r" * 800,
        "tiny lines": "a\n" * 30_000,
        "duplicate keys": json.dumps([{"a": 1}] * 400).replace('{"a": 1}', '{"a": 1, "a": 2}'),
        "not a number": "[" + "NaN, " * 3000 + "Infinity]",
        "not a number value": [float("nan")] * 3000,
        "huge integers": "[" + "9" * 5000 + ", 1" * 1000 + "]",
        "big integers": [10**300 + n for n in range(100)],
        "markers": '[[lines 1-2 omitted: expand("k", "v3:lines:1-2")]]\n' * 3000,
        "open brackets": "[[" * 20_000,
        "legend": "[[json: minified]]\n" + "not json at all\n" * 500,
        "quotes": '"\\' * 10_000,
        "escaped quotes": '\\"' * 100_000,
        "surrogates": "\ud800 and \udfff " * 2000,
        "one error": "ok\n" * 5000 + "FATAL the disk is gone\n" + "ok\n" * 5000,
        "empty rows": [{}] * 3000,
        "odd keys": [{"": n, "\n": "\x00", "[[": None} for n in range(500)],
        "scalars": [None, True, 1, 1.0, "1", "true", -0.0, 1e22] * 400,
        "number": 10**1000,
        "nothing": None,
        "empty": "",
        "blank": " " * 30_000,
    }


@pytest.mark.parametrize("mode", ["standard", "lossless"])
@pytest.mark.parametrize("what", hostile())
def test_hostile_content_keeps_every_promise(what: str, mode: Literal["standard", "lossless"]) -> None:
    content = hostile()[what]
    for limit in (None, 50, 300):
        view = compress(content, mode=mode, max_tokens=limit, key="k", version=3, count=count)
        check(content, view, limit)


@names
def test_damaged_text_keeps_every_promise(kind: str | None) -> None:
    chance = random.Random(7)
    for _ in range(40):
        raw = bytearray(chance.choice(["\n", "\r\n"]).join(chance.choices(LINES[:-3], k=30)).encode())
        for _ in range(chance.randrange(20)):
            at = chance.randrange(len(raw))
            raw[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        for content in (bytes(raw), bytes(raw).decode("latin-1"), bytes(raw).decode("utf-8", "surrogateescape")):
            limit = chance.choice([None, 50, 200])
            view = compress(content, kind=kind, mode=chance.choice(["standard", "lossless"]), max_tokens=limit, key="k",
                            version=3, count=count)  # fmt: skip
            check(content, view, limit)


def test_every_kind_has_a_name_of_its_own() -> None:
    assert len(kinds()) == len({id(kind) for kind in ALL})
    assert TEXT[-1].name == "text"
