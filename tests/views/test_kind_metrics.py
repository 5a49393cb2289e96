"""Metrics: the tables give the exact text back, and the ranges keep what stands out."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.errors import DecodeError
from sharedctx.tokens import counter
from sharedctx.views import expand
from sharedctx.views.kind import Brief, Draft, Source
from sharedctx.views.kinds.metrics import KIND
from sharedctx.views.view import Marks

COUNT = counter()


def brief(budget: int | None = None, wanted: tuple[str, ...] = ()) -> Brief:
    return Brief(budget, COUNT, wanted, Marks("key", 1))


def scrape(pods: int = 40, odd: int = 17) -> str:
    lines = ["# HELP http_requests_total Requests by pod.", "# TYPE http_requests_total counter"]
    for pod in range(pods):
        value = 987654 if pod == odd else 1000 + pod
        lines.append(f'http_requests_total{{job="web",namespace="shop",pod="web-{pod:03}"}} {value} 17000000{pod:05}')
    lines.append("# TYPE errors_total counter")
    lines += [f'errors_total{{job="web",namespace="shop",pod="web-{pod:03}"}} {int(pod == odd)}' for pod in range(pods)]
    lines += [
        "# TYPE latency histogram",
        'latency_bucket{le="0.1"} 3',
        'latency_bucket{le="+Inf"} 4',
        "latency_sum 0.7",
    ]
    lines += ["up 1", "# EOF", ""]
    return "\n".join(lines)


def shorten(text: str, **limits: object) -> Draft:
    draft = KIND.shorten(Source(text), brief(**limits))  # type: ignore[arg-type]
    assert draft is not None
    return draft


def test_metrics_are_recognised_and_other_text_is_not() -> None:
    assert KIND.fits(Source(scrape())) > 0.9
    for other in ("", "some prose\n" * 20, "error 1\n" * 20, "a,b\n1,2\n" * 20, '{"a": 1}\n' * 20):
        assert KIND.fits(Source(other)) == 0


def test_a_packed_scrape_is_less_than_half_and_gives_the_text_back() -> None:
    text = scrape()
    packed = KIND.pack(Source(text))
    assert packed is not None
    assert packed.startswith("[[metrics: ")
    assert KIND.unpack(packed) == text
    assert COUNT(packed) < 0.5 * COUNT(text)


def test_the_ranges_keep_families_extremes_and_the_sample_unlike_the_rest() -> None:
    text = scrape()
    draft = shorten(text)
    assert COUNT(draft.text) < 0.25 * COUNT(text)
    for fact in (
        "http_requests_total",
        "Requests by pod.",
        "web-017",
        "987654",
        "1000..987654",
        "errors_total",
        "+Inf",
    ):
        assert fact in draft.text
    assert "39 of them 0" in draft.text


def test_the_reference_redeems_all_that_was_left_out() -> None:
    text = scrape()
    draft = shorten(text)
    [ref] = draft.refs
    assert f'"{ref}"' in draft.text
    assert expand(text, ref.removeprefix("v1:")) == text
    first, last = re.findall(r"… lines (\d+)-(\d+)", draft.text)[0]
    assert expand(text, f"lines:{first}-{last}").count("http_requests_total") == 40


@pytest.mark.parametrize("budget", [80, 120, 200, 300, 600])
def test_a_budget_is_kept(budget: int) -> None:
    draft = shorten("\n".join(scrape(odd=at).replace("http", f"http{at}") for at in range(8)), budget=budget)
    assert COUNT(draft.text) <= budget
    assert "http0_requests_total" in draft.text


def test_what_a_query_names_is_kept() -> None:
    assert "web-029" in shorten(scrape(), wanted=("web-029",)).text


_VALUE = st.sampled_from(["0", "1", "1.5e+07", "NaN", "+Inf", "-3"])
_TEXT = st.text(st.sampled_from('ab/^&?"\\ #{}=,\u0085é'), max_size=6)
_LABELS = st.lists(st.tuples(st.sampled_from(["job", "le", "pod_id"]), _TEXT), max_size=3)


@st.composite
def lines(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(["up", "x:y_total", "x_sum"]))
    form = draw(st.integers(0, 6))
    if form == 0:
        return f"# HELP {name} {draw(_TEXT)}"
    if form == 1:
        return f"# TYPE {draw(st.sampled_from([name, 'x']))} gauge"
    if form == 2:
        return draw(st.text(max_size=8).map(lambda text: text.replace("\n", "")) | st.sampled_from(["@1 - a 1", "'x"]))
    labels = ",".join(
        f'{key}="{value}"'
        for key, value in ((k, v.replace("\\", "\\\\").replace('"', '\\"')) for k, v in draw(_LABELS))
    )
    time = draw(st.sampled_from(["", " 1700000001", " 1700000002", " 1"]))
    return f"{name}{{{labels}}} {draw(_VALUE)}{time}" if form > 3 else f"{name} {draw(_VALUE)}{time}"


@settings(max_examples=60)
@given(st.lists(lines(), max_size=12), st.integers(1, 4))
def test_any_metrics_come_back_exactly(found: list[str], times: int) -> None:
    text = "\n".join(found * times + ["some_long_padding_metric_name 1"] * 40)
    packed = KIND.pack(Source(text))
    assert packed is None or KIND.unpack(packed) == text


@settings(max_examples=40)
@given(st.text())
def test_any_text_is_left_alone_or_comes_back(text: str) -> None:
    packed = KIND.pack(Source(text))
    assert packed is None or KIND.unpack(packed) == text
    KIND.fits(Source(text))
    KIND.shorten(Source(text), brief(60))


def test_a_thousand_like_lines_and_more_come_back() -> None:
    text = 'up{job="a"} 1\n' * 2500
    packed = KIND.pack(Source(text))
    assert packed is not None
    assert KIND.unpack(packed) == text


@pytest.mark.parametrize(
    "body",
    [
        "@2 - a ?",
        "@x",
        "@1 - a{b^} 1",
        "@1 - a{b=?} 1\n&9",
        "@1 - a{b=?} 1\n^",
        "@999999999 - a 1",
        '@1 - a{b="} 1',
        "@1 - a ?\n1 2",
    ],
)
def test_nonsense_is_refused(body: str) -> None:
    with pytest.raises(DecodeError):
        KIND.unpack(f"[[metrics: x]]\n{body}")
    with pytest.raises(DecodeError):
        KIND.unpack(body)


def test_a_histogram_is_told_by_where_its_count_rises_and_by_its_sum() -> None:
    pages = []
    for number in range(30):
        handler = f'handler="/api/{number}"'
        counts = [0, 0, number, number * 5 + 1, number * 6 + 2, number * 6 + 2]
        bounds = ("0.1", "0.2", "0.4", "1", "3", "+Inf")
        pages += [f'took_seconds_bucket{{{handler},le="{le}"}} {n}' for le, n in zip(bounds, counts, strict=True)]
        pages += [f"took_seconds_sum{{{handler}}} {number}.125", f"took_seconds_count{{{handler}}} {counts[-1]}"]
    text = "# HELP took_seconds " + "Time. " * 60 + "\n# TYPE took_seconds histogram\n" + "\n".join(pages) + "\n"
    made = shorten(text)
    assert "1 86\n3 104\n" in made.text
    assert "sum 17.125 count 104" in made.text
    assert "Time. " * 12 not in made.text
    assert COUNT(made.text) < 0.45 * COUNT(text)
