"""References come back from models retyped, quoted, or with the marker around them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.errors import InvalidValue
from sharedctx.tokens import Estimate
from sharedctx.views import compress, expand, split_version

count = Estimate("estimate")


@pytest.mark.parametrize(
    "spelled",
    [
        "v3:lines:12-40",
        " v3:lines:12-40\n",
        "V3:Lines:12-40",
        "v3: lines: 12 - 40",
        "v3 : LINES : 12\u201340",
        "v3:lines:12..40",
        "v3:lines 12 to 40",
        "v3:line:12-40",
        '"v3:lines:12-40"',
        "'v3:lines:12-40'",
        "`v3:lines:12-40`",
        "\u201cv3:lines:12-40\u201d",
        "v3:L12-L40",
        'expand("v3:lines:12-40")',
        "expand(ref='v3:lines:12-40')",
        "\uff1a".join(["v3", "lines", "12-40"]),
        "v3 lines:12-40",
        "v3:lines=12-40",
        "v3:lines[12:40]",
        "v3:lines:12-40)",
        "v3:lines:12-40]]",
        '"v3:lines:12-40',
        "v3:lines:12-40!",
        "(v3:lines:12-40)",
        "**v3:lines:12-40**",
        "v3:lines 12-40 omitted",
        'ref="v3:lines:12-40"',
        "expand: v3:lines:12-40",
        'expand("v3:lines:12-40"',
    ],
)
def test_a_retyped_reference_is_the_reference(spelled: str) -> None:
    assert split_version(spelled) == (3, "lines:12-40")


@pytest.mark.parametrize(
    ("spelled", "meant"),
    [
        ("Rows 0-9", "rows:0-9"),
        ("rows 0-9 of 400", "rows:0-9"),
        ("path:items[3].name", "path:$.items[3].name"),
        ("path:$.items.3.name", "path:$.items[3].name"),
        ("path:$.items[ 3 ].name.", "path:$.items[3].name"),
        ('path:$.items[3].name"', "path:$.items[3].name"),
        ("path:$.items[3]]]", "path:$.items[3]"),
        ('path:$["a]"].b', 'path:$["a]"].b'),
        ("query connection refused", "query:connection refused"),
        ("row:7", "rows:7"),
        ("characters 5-9", "chars:5-9"),
        ("[[lines 12-480 omitted]]", "lines:12-480"),
        ("$.items[3].name", "path:$.items[3].name"),
        ("Path: $.Items[3]", "path:$.Items[3]"),
        ("ALL", "all"),
        ("from: 500: Lines: 1-2", "from:500:lines:1-2"),
        ('[[99 more characters: "from:500:all"]]', "from:500:all"),
        ("Query: Connection Refused", "query: Connection Refused"),
        ('regex:"a, b" ', 'regex:"a, b" '),
        ("regex:expand\\((.*)\\)", "regex:expand\\((.*)\\)"),
        ('query:expand("k", "lines:1")', 'query:expand("k", "lines:1")'),
        ("lines:0", "lines:0"),
        ("nonsense:1", "nonsense:1"),
        ("lines:x", "lines:x"),
        ("", ""),
    ],
)
def test_what_is_meant_is_read_and_nothing_else_is_changed(spelled: str, meant: str) -> None:
    assert split_version(spelled) == (None, meant)
    assert split_version(meant) == (None, meant)


@pytest.mark.parametrize("key", ["k", 'odd "key"', "\u65e5\u672c, (x)", "it's"])
@pytest.mark.parametrize(
    "wrap", ["{}", " {} ", "[[lines 2-3 omitted: {}]]", "Please call {}.", "`{}`", "{}".replace('"', "\u201d")]
)
def test_a_pasted_marker_gives_what_it_stands_for(key: str, wrap: str) -> None:
    text = "\n".join(f"line {n}" for n in range(1, 9))
    call = f'expand({json.dumps(key, ensure_ascii=False)}, "v3:lines:2-3")'
    number, rest = split_version(wrap.format(call))
    assert number == 3
    assert expand(text, rest, key=key, version=3) == "line 2\nline 3"
    assert expand(text, wrap.format(call), key=key, version=3) == "line 2\nline 3"


def test_a_pasted_call_in_curly_quotes_is_read() -> None:
    assert expand("a\nb", "expand(\u201ck\u201d, \u201cv1:lines:2\u201d)", key="k") == "b"
    assert expand("a\nb", "expand('k', 'v1:lines:2')", key="k") == "b"


def test_a_pattern_in_a_pasted_call_keeps_its_backslashes() -> None:
    assert expand("a1\nbb", 'expand("k", "regex:\\\\d")', key="k") == expand("a1\nbb", r"regex:\d") == "1: a1"


def test_a_marker_of_another_key_or_version_is_refused() -> None:
    with pytest.raises(InvalidValue, match="belongs to the key 'b'"):
        expand("text", split_version('expand("b", "v1:lines:1")')[1], key="a")
    with pytest.raises(InvalidValue, match="belongs to version 2"):
        expand("text", "v2:lines:1", key="a", version=1)


@settings(max_examples=60)
@given(st.text(max_size=200) | st.text("v3:lines-\"'[]()exp,. ", max_size=80))
def test_reading_a_reference_twice_is_reading_it_once(spelled: str) -> None:
    _, rest = split_version(spelled)
    again, same = split_version(rest)
    assert same == rest or again is not None


def test_every_marker_of_a_view_is_redeemed_as_it_stands() -> None:
    text = "\n".join(f"line {n} of many" for n in range(3000))
    view = compress(text, key="my key", version=4, max_tokens=800, query="line 1234", count=count)
    markers = [line for line in view.text.split("\n") if line.startswith("[[")]
    assert markers
    shown = []
    for line in view.text.split("\n"):
        number, rest = split_version(line) if line in markers else (None, None)
        shown.append(line if rest is None else expand(text, rest, key="my key", version=number))
    assert "\n".join(shown) == text


def test_a_very_long_reference_is_read_at_once() -> None:
    for text in (" " * 100_000 + "x", "expand(" + "(" * 100_000, '"' * 100_000, "lines:" + " " * 100_000 + "-"):
        with pytest.raises(InvalidValue):
            expand("text", text)


@pytest.mark.parametrize("spelled", ["$['odd name']", "$[\u201codd name\u201d]", 'path:$["odd name"]'])
def test_names_in_paths_may_be_in_any_quotes(spelled: str) -> None:
    assert expand({"odd name": 7}, spelled) == "7"
