"""Views are smaller, never empty, and everything they leave out can be had."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharedctx.errors import ConfigError, DecodeError, InvalidValue
from sharedctx.tokens import Estimate, counter
from sharedctx.views import compress, decompress, expand, split_version

count = Estimate("estimate")
CALL = re.compile(r'\[\[[^\[\]]*?expand\(("[^"]*"), ("[^"]*")\)\]\]')


def redeemed(view: str, content: Any) -> str:
    """The view with every marker replaced by what its reference gives."""
    return CALL.sub(lambda found: expand(content, split_version(json.loads(found[2]))[1], count=count), view)


@given(st.lists(st.text("abc error\t\r", max_size=60), max_size=400), st.integers(50, 400))
def test_a_text_view_with_its_omissions_filled_in_is_the_text(lines: list[str], limit: int) -> None:
    text = "\n".join(lines)
    view = compress(text, key="k", version=3, max_tokens=limit, kind="text", count=count)
    assert view.tokens <= limit
    assert len(view.text) <= len(text)
    assert view.tokens <= view.original_tokens
    assert redeemed(view.text, text) == text


@given(st.text(max_size=5000), st.integers(50, 300))
def test_any_text_gives_a_view_within_its_limit(text: str, limit: int) -> None:
    view = compress(text, key="k", max_tokens=limit, count=count)
    assert view.tokens <= limit
    assert bool(view.text) == bool(text)


def test_rows_become_columns_and_omitted_rows_can_be_had() -> None:
    rows = [{"id": n, "repo": "same", "state": "error" if n == 700 else "ok"} for n in range(1000)]
    view = compress(rows, key="k", version=1, count=count)
    assert view.tokens < 0.3 * view.original_tokens
    assert view.text.count("same") < 20
    assert re.search(r"\b700\b.*\berror\b", view.text)
    ranges = [split_version(ref)[1] for ref in view.refs]
    first = json.loads(expand(rows, ranges[0]).splitlines()[0])
    assert first == rows[int(ranges[0].split(":")[1].split("-")[0])]


def test_one_long_line_is_cut_and_redeemed_by_characters() -> None:
    text = "".join(chr(97 + n % 26) for n in range(100_000))
    view = compress(text, key="k", max_tokens=200, count=count)
    assert view.tokens <= 200
    assert redeemed(view.text, text) == text


def test_query_words_stay_in_the_view() -> None:
    text = "\n".join(f"line {n} says {'pomegranate' if n == 1234 else 'nothing'}" for n in range(3000))
    assert "pomegranate" in compress(text, key="k", max_tokens=100, query="Pomegranate", count=count).text


def test_without_a_key_nothing_is_promised() -> None:
    text = "\n".join(f"line {n} of many" for n in range(3000))
    assert "expand(" not in compress(text, count=count).text
    assert "expand(" not in compress(text, key="k", references=False, count=count).text


def test_bytes_that_are_not_text_are_described() -> None:
    view = compress(b"\xff" * 1000, key="k", count=count)
    assert "1000 bytes" in view.text
    assert view.kind == "bytes"


@pytest.mark.parametrize("text", ['{"a":1,"a":2}', "[0.12345678901234567]", "[" * 100_000])
def test_json_text_that_would_lose_something_is_text(text: str) -> None:
    assert compress(text, count=count).kind == "text"


def test_a_compressor_of_the_users_own_replaces_a_kind() -> None:
    text = "\n".join(f"line {n} of many" for n in range(3000))
    view = compress(text, key="k", compressors={"text": lambda given: given[:20]}, count=count)
    assert view.text == text[:20]
    with pytest.raises(InvalidValue, match="'text'"):
        compress(text, compressors={"text": lambda given: 7}, count=count)  # type: ignore[arg-type,return-value]


CONTENT = {"items": [{"name": "a"}, {"name": "b", "odd name": 7}]}


@pytest.mark.parametrize(
    ("ref", "found"),
    [
        ("path:$.items[1].name", "b"),
        ('path:$.items[1]["odd name"]', "7"),
        ("path:$.items[0:1]", '[{"name":"a"}]'),
        ("all", json.dumps(CONTENT, separators=(",", ":"))),
        ("chars:0-8", '{"items"'),
    ],
)
def test_references_into_json(ref: str, found: str) -> None:
    assert expand(CONTENT, ref) == found


TEXT = "alpha one\nbeta two\ngamma two"


@pytest.mark.parametrize(
    ("ref", "found"),
    [
        ("lines:2", "beta two"),
        ("lines:2-99", "beta two\ngamma two"),
        ("regex:^(alpha|gamma)", "1: alpha one\n3: gamma two"),
        ("query:two gamma", "3: gamma two\n2: beta two"),
    ],
)
def test_references_into_text(ref: str, found: str) -> None:
    assert expand(TEXT, ref) == found


@pytest.mark.parametrize(
    "ref",
    [
        "",
        "lines:0",
        "lines:9",
        "lines:3-2",
        "lines:x",
        "rows:1",
        "path:$.a",
        "regex:(",
        "regex:(a+)+",
        "query:",
        "chars:5",
        "nonsense:1",
    ],
)
def test_a_reference_that_fits_nothing_names_itself_and_the_cure(ref: str) -> None:
    with pytest.raises(InvalidValue, match=re.escape(repr(ref))):
        expand(TEXT, ref)


def test_a_long_expansion_is_paged_to_its_end() -> None:
    text = "x" * 50_000 + "END"
    seen, ref, pages = "", "all", 0
    while ref:
        page = expand(text, ref, key="k", version=2, max_tokens=2000, count=count)
        body, _, marker = page.partition("\n[[")
        seen, pages = seen + body, pages + 1
        found = re.search(r'"v2:(chars:\d+-\d+)"', marker)
        ref = found[1] if found else ""
    assert seen == text
    assert pages > 1


def test_counters_say_what_they_count_with() -> None:
    assert counter("gpt-4o").name.endswith("o200k_base")
    assert "'llama-9'" in counter("llama-9").name
    assert counter()("") == 0
    text = "The quick brown fox jumps over the lazy dog. " * 50
    assert abs(Estimate("e")(text) / counter()(text) - 1) < 0.25


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ({"max_tokens": "60"}, "max_tokens '60'"),
        ({"max_tokens": 60.5}, "max_tokens 60.5"),
        ({"query": 5}, "query 5"),
        ({"compressors": {"lgo": str.upper}}, "compressors\\['lgo'\\]"),
        ({"compressors": {"log": 3}}, "compressors\\['log'\\]"),
        ({"compressors": [3]}, "compressors \\[3\\] is no mapping"),
        ({"compressors": {"text": lambda text: 1 / 0}}, "'text' raised ZeroDivisionError"),
        ({"kind": ["log"]}, "kind \\['log'\\] is none of code"),
        ({"mode": ["lossless"]}, "mode \\['lossless'\\]"),
        ({"key": b"k"}, "key b'k'"),
        ({"key": "k", "version": 0}, "version 0"),
        ({"key": "k", "version": "2"}, "version '2'"),
    ],
)
def test_wrong_arguments_are_named_with_the_cure(words: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidValue, match=named):
        compress("a line\n" * 900, **words)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (5, "5 cannot be called"),
        (lambda text: None, "returned None"),
        (lambda text: len(text) / 4, "returned 1575.0"),
        (lambda text: -1, "returned -1"),
    ],
)
def test_what_is_no_counter_is_refused_with_what_it_gave(wrong: Any, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        compress("a line\n" * 900, count=wrong)
    with pytest.raises(ConfigError, match=named):
        expand("a line\n" * 900, "all", max_tokens=60, count=wrong)


def test_a_plain_function_counts() -> None:
    text = "\n".join(f"line {n} of many" for n in range(3000))
    view = compress(text, key="k", max_tokens=500, count=lambda text: len(text) // 4)
    assert view.original_tokens == len(text) // 4
    assert view.tokens <= 500


def test_what_is_no_place_to_expand_from_is_named() -> None:
    with pytest.raises(InvalidValue, match="key 5 is no text"):
        expand("a line", "all", key=5)  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="version 'x' is no version"):
        expand("a line", "all", version="x")  # type: ignore[arg-type]


def test_what_is_no_reference_and_no_view_at_all_is_named() -> None:
    with pytest.raises(InvalidValue, match="reference 5"):
        expand("a line", 5)  # type: ignore[arg-type]
    with pytest.raises(DecodeError, match="int is no view"):
        decompress(5)  # type: ignore[arg-type]


def test_of_a_text_that_repeats_itself_the_odd_lines_are_kept() -> None:
    parts = [
        f"- name: web-{n}\n  image: web:1.{n % 3}\n  memory: {'64Gi' if n == 133 else '256Mi'}\n  on: {n != 77}"
        for n in range(300)
    ]
    text = "parts:\n" + "\n".join(parts)
    view = compress(text, key="k", count=count)
    assert view.kind == "text"
    assert "memory: 64Gi" in view.text
    assert "on: False" in view.text
    assert view.tokens < 0.5 * view.original_tokens
