"""Logs: what is rare or wrong is kept, the rest counted; forms and cells give the exact text back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.errors import DecodeError
from sharedctx.tokens import counter
from sharedctx.views import compress, decompress, expand
from sharedctx.views.kind import Brief, Draft, Source
from sharedctx.views.kinds.log import KIND
from sharedctx.views.view import Marks

COUNT = counter()
RARE = "compacted the index at /var/lib/shop/index-7 by hand"
ERROR = "payment 5521 was declined by the bank: connection refused"


def brief(budget: int | None = None, wanted: tuple[str, ...] = ()) -> Brief:
    return Brief(budget, COUNT, wanted, Marks("key", 1))


def shorten(text: str, **limits: object) -> Draft:
    draft = KIND.shorten(Source(text), brief(**limits))  # type: ignore[arg-type]
    assert draft is not None
    return draft


HEADS = {
    "log4j": "2024-03-01 10:{m:02}:{s:02},123 {level} [worker-{w}] com.shop.Cart - ",
    "iso": "2024-03-01T10:{m:02}:{s:02}.123456Z {level} shop: ",
    "syslog": "Mar  1 10:{m:02}:{s:02} web-1 shop[{w}]: {level}: ",
    "klog": "{l}0301 10:{m:02}:{s:02}.123456    {w} cart.go:51] ",
    "logrus": 'time="2024-03-01T10:{m:02}:{s:02}Z" level={low} msg=',
    "dmesg": "[  {m:02}{s:02}.123456] shop: ",
    "brackets": "[2024-03-01 10:{m:02}:{s:02},123] {level} ",
}


def log(head: str = "log4j", lines: int = 600) -> str:
    found = []
    for n in range(lines):
        level, what = "INFO", f"added item {n * 37} to cart c-{n % 7:04} in {n % 5} ms"
        if n == 311:
            what = RARE
        if n == 412:
            level, what = "ERROR", ERROR
        fields = {"m": n // 60, "s": n % 60, "w": n % 3, "level": level, "l": level[0], "low": level.lower()}
        found.append(HEADS[head].format(**fields) + what)
    return "\n".join(found) + "\n"


ACCESS = "".join(
    f'10.0.0.{n % 9} - - [01/Mar/2024:10:{n // 60:02}:{n % 60:02} +0000] "GET /item/{n} HTTP/1.1" '
    f'{503 if n == 77 else 200} {n * 7} "-" "Mozilla/5.0 (X11; Linux x86_64) Shop/{n % 4}.0"\n'
    for n in range(300)
)
TRACE = "2024-03-01 10:00:00,123 ERROR shop - failed\njava.lang.IllegalStateException: cart 7 is gone\n" + "".join(
    f"\tat com.shop.Cart.step{n}(Cart.java:{n})\n" for n in range(40)
)
CAUSE = "Caused by: java.io.IOException: disk full\n\t... 12 more\n"


@pytest.mark.parametrize("head", HEADS)
def test_each_format_is_recognised_shortened_and_packed(head: str) -> None:
    text = log(head)
    assert KIND.fits(Source(text)) > 0.5
    draft = shorten(text)
    assert COUNT(draft.text) < 0.1 * COUNT(text)
    for fact in (RARE, ERROR, "added item 0 to", f"added item {599 * 37} to"):
        assert fact in draft.text
    packed = KIND.pack(Source(text))
    assert packed is not None
    assert KIND.unpack(packed) == text
    assert COUNT(packed) < 0.65 * COUNT(text)


def test_a_common_line_stands_once_with_its_number_and_the_last_like_it() -> None:
    assert "1 x598 to 600: 2024-03-01 10:00:00,123" in shorten(log()).text


def test_of_requests_those_that_failed_are_kept() -> None:
    draft = shorten(ACCESS)
    assert "/item/77 " in draft.text
    assert "1 x299 to 300: " in draft.text
    assert COUNT(draft.text) < 0.1 * COUNT(ACCESS)
    packed = KIND.pack(Source(ACCESS))
    assert packed is not None
    assert KIND.unpack(packed) == ACCESS


def test_a_stack_trace_that_repeats_keeps_its_head_and_cause_once() -> None:
    text = log() + (TRACE + CAUSE) * 20
    draft = shorten(text)
    assert draft.text.count("cart 7 is gone") <= 2
    assert "step0(Cart.java:0)" in draft.text
    assert "Caused by: java.io.IOException: disk full" in draft.text
    assert "x20 to" in draft.text


BUILD = "".join(f"[{n // 3:3}%] Building CXX object src/CMakeFiles/shop.dir/part{n}.cc.o\n" for n in range(250)) + (
    "src/cart.cc:41:7: error: 'total' was not declared in this scope\nmake: *** [Makefile:101: all] Error 2\n"
)
PYTHON = (
    "Traceback (most recent call last):\n"
    + "".join(f'  File "/srv/shop/cart.py", line {n}, in step\n    step({n})\n' for n in range(200))
    + "RecursionError: maximum recursion depth exceeded\n"
)


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        (TRACE + CAUSE, ("cart 7 is gone", "Caused by: java.io.IOException: disk full")),
        (PYTHON, ("Traceback", "line 0, in step", "RecursionError: maximum recursion depth exceeded")),
        (BUILD, ("src/cart.cc:41:7: error: 'total' was not declared", "Error 2")),
    ],
)
def test_traces_and_builds_without_times_are_logs_too(text: str, facts: tuple[str, ...]) -> None:
    assert KIND.fits(Source(text)) > 0.5
    draft = shorten(text)
    for fact in facts:
        assert fact in draft.text
    assert COUNT(draft.text) < 0.6 * COUNT(text)


def test_prose_tables_and_code_are_not_taken() -> None:
    for other in ("", "some prose about errors\n" * 50, "a,b\n1,2\n" * 50, "def f():\n    return 1\n" * 30):
        assert KIND.fits(Source(other)) == 0


def test_the_reference_redeems_everything() -> None:
    text = log()
    draft = shorten(text)
    [ref] = draft.refs
    assert f'"{ref}"' in draft.text
    assert expand(text, ref.removeprefix("v1:")) == text


@pytest.mark.parametrize("budget", [60, 100, 250, 800])
def test_a_budget_is_kept_and_the_error_is_in_it(budget: int) -> None:
    draft = shorten(log(), budget=budget)
    assert COUNT(draft.text) <= budget
    assert budget < 200 or ERROR in draft.text


def test_what_a_query_names_is_kept() -> None:
    assert f"added item {37 * 205} to" in shorten(log(), wanted=(str(37 * 205),)).text


def test_a_long_line_is_cut_between_words_around_what_matters() -> None:
    words = [f"word{n}" for n in range(3000)]
    words[1500] = "ERROR: disk-7 is full"
    text = log(lines=50) + "2024-03-01 10:00:00,123 " + " ".join(words) + "\n"
    shown = next(line for line in shorten(text).text.split("\n") if "disk-7 is full" in line)
    assert len(shown) < 1000
    assert set(shown.replace("\u2026", " ").split()[3:]) <= {*" ".join(words).split()}


_WORD = st.sampled_from([
    "a", "b7", "<", "<>", "<:>", "<<", "@A x", "|", "^", "&1", "&1=", "'", '"', "\\", "", "[", "]", "=", ",", "\t",
    "\r", "10:00:01", "10:00:02,5", "2024-01-01T10:00:01Z", "1/2/x:1", "\u0085", "\u00e9", "key=va1", "\x01", "0\x02",
    '"a long quoted string of words"', '"Mozilla/5.0 (x y z) and more words"', "a-long-identifier-that-repeats-0",
])  # fmt: skip
_LINE = st.lists(_WORD, max_size=6).map(" ".join)


@settings(max_examples=60)
@given(st.lists(_LINE, max_size=8), st.data())
def test_any_log_comes_back_exactly(kinds: list[str], data: st.DataObject) -> None:
    lines = []
    for _ in range(data.draw(st.integers(0, 30))):
        line = data.draw(st.sampled_from(kinds)) if kinds else ""
        lines.append(
            f"{data.draw(st.sampled_from(['', '2024-01-01 10:00:0']))}{data.draw(st.integers(0, 99))} shop {line}"
        )
    text = "\n".join(lines + log(lines=60).split("\n"))
    packed = KIND.pack(Source(text))
    assert ("\x01" in text or "\x02" in text) == (packed is None)
    assert packed is None or KIND.unpack(packed) == text


@settings(max_examples=60)
@given(st.text() | st.lists(_LINE, max_size=40).map("\n".join))
def test_any_text_is_left_alone_or_comes_back(text: str) -> None:
    source = Source(text)
    packed = KIND.pack(source)
    assert packed is None or KIND.unpack(packed) == text
    KIND.fits(source)
    for budget in (None, 60):
        draft = KIND.shorten(source, brief(budget))
        assert draft is None or budget is None or COUNT(draft.text) <= budget


def test_windows_line_ends_and_a_missing_last_one_come_back() -> None:
    for text in (log().replace("\n", "\r\n"), log()[:-1]):
        packed = KIND.pack(Source(text))
        assert packed is not None
        assert KIND.unpack(packed) == text


def test_a_view_of_a_view_comes_back() -> None:
    packed = KIND.pack(Source(log()))
    assert packed is not None
    twice = KIND.pack(Source(packed + log()))
    assert twice is not None
    assert KIND.unpack(twice) == packed + log()


@pytest.mark.parametrize(
    "body",
    [
        "A",
        "@A <>\nA ^",
        "@A <>\nA x y",
        "@A <:><:>\nA 1:2",
        "@A <>\nA &1",
        "@A <=1>\nA",
        "@A <x\nA",
        "plain",
        '@A <>\nA "x',
        "@9 x",
    ],
)
def test_nonsense_is_refused(body: str) -> None:
    with pytest.raises(DecodeError):
        KIND.unpack(f"[[log: x]]\n{body}")
    with pytest.raises(DecodeError):
        KIND.unpack(body)


def test_what_ends_a_trace_is_kept_whatever_it_is_called() -> None:
    lines = [f"2026-01-01 10:00:{n % 60:02} INFO worker {n} step done in {n * 7 % 97} ms" for n in range(600)]
    trace = [
        "Traceback (most recent call last):",
        '  File "/srv/plan.py", line 31, in solve',
        "    raise InfeasiblePlan(route)",
        "InfeasiblePlan: no route from depot 7",
    ]
    assert trace[-1] in shorten("\n".join([*lines[:300], *trace, *lines[300:]])).text


def test_times_with_a_comma_make_no_table_of_a_log() -> None:
    text = "\n".join(
        f"2026-04-02 08:{n // 60:02}:{n % 60:02},{n % 900:03} INFO queue[{n}] batch {n:x} sent" for n in range(900)
    )
    view = compress(text, key="k")
    assert view.kind == "log"
    assert view.tokens < 0.1 * view.original_tokens


def test_of_an_error_that_comes_back_now_and_then_every_line_is_shown() -> None:
    lines = [
        f'10.0.{n % 9}.7 - - [02/Apr/2026:08:{n // 60:02}:{n % 60:02} +0000] "GET /parts/{n} HTTP/1.1" 200 {n * 7}'
        for n in range(900)
    ]
    for n in range(50, 900, 120):
        lines[n] = (
            f'10.9.{n}.1 - - [02/Apr/2026:08:{n // 60:02}:{n % 60:02} +0000] "POST /admin/{n} HTTP/1.1" 500 {n * 11}'
        )
    view = compress("\n".join(lines), key="k")
    assert all(f"POST /admin/{n} HTTP/1.1" in view.text for n in range(50, 900, 120))
    assert view.tokens < 0.1 * view.original_tokens


def test_a_few_errors_stand_whole_in_a_lossless_view() -> None:
    lines = [
        f"2026-04-02 08:{n // 60:02}:{n % 60:02},{n % 900:03} INFO queue[{n}] batch {n:x} sent" for n in range(900)
    ]
    for n in range(50, 900, 120):
        lines[n] = f"2026-04-02 08:{n // 60:02}:{n % 60:02},000 ERROR queue[7] cannot write batch {n:x}: no space left"
    view = compress("\n".join(lines), mode="lossless")
    assert view.lossless
    assert view.tokens < 0.7 * view.original_tokens
    assert all(lines[n] in view.text for n in range(50, 900, 120))
    assert decompress(view) == "\n".join(lines)


REQUESTS = [
    f"proxy[7]: 10.1.{n % 9}.4:{5000 + n} back/srv{n % 4} {'503' if n == 99 else '200'} {n * 13 % 9000} "
    f"{'SC--' if n == 99 else '----'} {90000 if n == 201 else 10 + n % 30}ms"
    for n in range(500)
]


def test_of_lines_of_one_template_those_with_a_rare_word_or_a_far_number_are_told() -> None:
    draft = shorten("\n".join(REQUESTS))
    assert f"100: {REQUESTS[99]}" in draft.text
    assert f"202: {REQUESTS[201]}" in draft.text
    assert COUNT(draft.text) < 400


def test_a_day_that_has_only_begun_is_nothing_odd() -> None:
    lines = [f"backup {n // 100} of store {n % 7} done in {n % 30} ms" for n in range(301)]
    draft = shorten("\n".join(lines))
    assert draft.text.count("backup") == 2
