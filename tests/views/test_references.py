"""Every reference gives what it names, in pages if need be, and no pattern hangs."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.errors import InvalidValue
from sharedctx.tokens import Estimate
from sharedctx.views import compress, expand, split_version

count = Estimate("estimate")
ROWS = [{"n": n, "said": f"hello {n} " * 8} for n in range(300)]
CALL = re.compile(r'\n\[\[\d+ more characters: expand\(("k"), ("(?:[^"\\]|\\.)*")\)\]\]\Z')


def pages(content: Any, ref: str, limit: int) -> tuple[str, int]:
    """All that a reference gives, read page by page, and how many pages that took."""
    seen, number = "", 0
    while ref:
        page = expand(content, ref, key="k", version=2, max_tokens=limit, count=count)
        assert count(page) <= limit
        found = CALL.search(page)
        seen += page[: found.start()] if found else page
        number += 1
        if found is None:
            return seen, number
        version, ref = split_version(json.loads(found[2]))
        assert version == 2
    raise AssertionError("a page without an end")


@pytest.mark.parametrize(
    "ref", ["all", "rows:0-299", "path:$[10:200]", 'path:$[7]["said"]', "regex:hello", "query:hello 7", "chars:10-9000"]
)
def test_pages_reach_the_end_of_every_kind_of_reference(ref: str) -> None:
    seen, number = pages(ROWS, ref, 60)
    assert seen == expand(ROWS, ref)
    assert number > 1 or count(seen) <= 60


@settings(max_examples=40)
@given(st.text('ab \n\t"\\é', max_size=3000), st.integers(60, 300))
def test_pages_of_any_text_make_the_text(text: str, limit: int) -> None:
    assert pages(text, "all", limit)[0] == text


def test_without_a_key_a_page_names_the_reference_alone() -> None:
    assert "expand(" not in expand("word " * 3000, "all", max_tokens=60, count=count)


def test_a_page_beyond_the_end_is_refused() -> None:
    with pytest.raises(InvalidValue, match="out of range"):
        expand("short", "from:99:all")


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+c", "(a|a)*c", "(a|aa)+c", "((a)|b+)+c", "a*a*a*a*c", "(?=a)a", r"(a)\1", "a" * 201, "a?" * 30 + "a" * 30],
)
def test_patterns_that_could_hang_are_refused(pattern: str) -> None:
    with pytest.raises(InvalidValue, match="simpler pattern"):
        expand("a" * 40, f"regex:{pattern}")


@pytest.mark.parametrize("pattern", [r"a.*b", r"\(x\)+", r"[*+|]+ \w+", r"(a|b) c", r"colou?r.*?x", r"^\d{4}-\d{2}"])
def test_ordinary_patterns_are_taken(pattern: str) -> None:
    assert expand("nothing of it", f"regex:{pattern}").startswith("no line matches")


def test_a_search_that_does_not_reach_the_end_of_a_line_says_so() -> None:
    assert "first 2750 characters" in expand("a" * 20_000 + "b", r"regex:\w+ \w+b")
    assert expand("a" * 20_000 + "b", "regex:b").startswith("1, at ")


def test_the_end_of_a_window_is_not_the_end_of_a_line() -> None:
    line = "word " * 5000 + "last"
    assert expand(line, "regex:word$") == "no line matches 'word$'"
    assert expand(line, "regex:last$").endswith(" last")


def test_a_reference_is_written_in_plain_digits() -> None:
    assert split_version("v3:lines:1-2") == (3, "lines:1-2")
    assert split_version("v\u0663:lines:1") == (None, "v\u0663:lines:1")


@pytest.mark.parametrize("key", ["k" * 500, '\u65e5\u672c"' * 60])
def test_a_long_key_does_not_break_the_limit(key: str) -> None:
    view = compress("hello\n" * 3000, key=key, version=99_999, max_tokens=50, count=count)
    assert 0 < view.tokens <= 50


@pytest.mark.parametrize("text", ["[1e400]", "[1.0000000000000000001]"])
def test_numbers_that_a_double_does_not_hold_keep_their_spelling(text: str) -> None:
    assert compress(text[:-1] + ", 2" * 200 + "]", count=count).kind == "text"


def test_a_description_of_bytes_is_not_lossless() -> None:
    assert not compress(b"\xff" * 1000, key="k", count=count).lossless


def test_a_value_nested_too_deeply_is_refused() -> None:
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    with pytest.raises(InvalidValue, match="nested"):
        compress(value)


def test_a_path_leads_into_json_lines() -> None:
    text = '{"a": {"b": 1}}\n{"a": [1, 2]}\nno json\n'
    assert expand(text, "path:$[0].a.b") == "1"
    assert expand(text, "path:$[1:3]") == '[{"a":[1,2]},"no json"]'
    with pytest.raises(InvalidValue, match="an array of 4"):
        expand(text, "path:$.a")


@pytest.mark.parametrize(
    "pattern",
    [
        "(?:a?){22}a{22}b",
        "(a?){24}b",
        "(?:aa?){25}b",
        "(?:(?:a?)(?:a?)){14}b",
        "((a?)b?){20}",
        "(a+)+b",
        "(a|aa)+b",
        "(a|a)" * 30 + "b",
    ],
)
def test_a_pattern_that_could_take_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidValue, match="repeats too much"):
        expand("a" * 60, f"regex:{pattern}")


def test_groups_may_be_optional_or_repeat_what_is_plain() -> None:
    text = "foobar 12 ababab"
    for pattern in ("foo(bar)?", "(?:ab){3}", r"(foo|baz)bar \d+"):
        assert expand(text, f"regex:{pattern}") == f"1: {text}"
