"""Windows and packets: never over the budget, nothing unreachable, a reason for every entry, the same bytes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sharedctx
from sharedctx import SharedContext
from sharedctx.backends.base import Put
from sharedctx.errors import ConfigError, InvalidValue
from sharedctx.testing import ManualClock
from sharedctx.tokens import Named
from sharedctx.tools import call

CALL = re.compile(r'expand\((".*?"), "(v\d+:all)"\)')


@pytest.fixture
def ctx() -> SharedContext:
    return sharedctx.open("memory://", clock=ManualClock(1_700_000_000.0)).session()


def prose(words: int, start: int = 0) -> str:
    return " ".join(f"finding{n}" for n in range(start, start + words))


def test_the_highest_priority_is_whole_and_the_rest_can_be_reached(ctx: SharedContext) -> None:
    ctx.put("task", "the task of the day: mend the parser", agent="lead")
    ctx.put("log", "\n".join(f"12:00:{n % 60:02} step {n} of the run went as it should" for n in range(2000)))
    ctx.put("scope", "the parser alone")
    found = ctx.window(400, priorities={"task": 10, "scope": 5})
    assert found.tokens <= 400
    assert "## task v1 by lead\nthe task of the day: mend the parser" in found.text
    assert "## scope v1\nthe parser alone" in found.text
    assert set(found.reasons) == {"task", "log", "scope"}
    assert found.reasons["task"] == "priority 10, fits whole"
    assert found.replay_tokens > 10_000
    (log,) = (part for part in found.selection.parts if part.key == "log")
    assert log.form == "compressed"
    key, ref = CALL.search(log.reference).groups()  # type: ignore[union-attr]
    assert ctx.expand(json.loads(key), ref) == ctx.get("log", full=True)


def test_a_large_top_priority_is_compressed_into_all_the_room(ctx: SharedContext) -> None:
    ctx.put("main", "\n".join(f"line {n} with its own words" for n in range(3000)))
    ctx.put("other", prose(300))
    found = ctx.window(1000, priorities={"main": 1})
    part = found.selection.included[0]
    assert (part.key, part.form) == ("main", "compressed")
    assert "compressed to" in part.reason
    assert "expand(" in part.text


def test_what_the_query_asks_for_comes_first(ctx: SharedContext) -> None:
    for n in range(20):
        ctx.put(f"note{n}", prose(60, n * 1000))
    ctx.put("needle", "the pump stopped " + prose(60, 99_000))
    for n in range(20, 40):
        ctx.put(f"note{n}", prose(60, n * 1000))
    found = ctx.window(600, query="pump stopped")
    assert found.selection.included[0].key == "needle"
    assert "has 2 of the words asked for" in found.reasons["needle"]


def test_patterns_of_keys_give_priorities(ctx: SharedContext) -> None:
    for key in ("plan/a", "plan/b", "misc"):
        ctx.put(key, prose(150))
    found = ctx.window(1000, priorities={"plan/*": 9, "*": 1})
    assert [part.key for part in found.selection.included[:2]] == ["plan/b", "plan/a"]


def test_keys_without_room_for_a_reference_are_counted_and_listed(ctx: SharedContext) -> None:
    for n in range(300):
        ctx.put(f"entry-{n:03}", prose(100))
    found = ctx.window(200)
    assert found.tokens <= 200
    listed = len(found.selection.listed)
    assert listed > 200
    assert f"- {listed} more: list() names them" in found.text
    assert len(found.selection.parts) == 300


def test_a_window_shows_what_the_participant_may_read(ctx: SharedContext) -> None:
    ctx.put("open/a", "yes")
    ctx.put("secret", "no")
    ctx.grant("reader", read=["open/*"])
    text = ctx.bind("reader").window(200).text
    assert "open/a" in text
    assert "secret" not in text
    assert "secret" not in ctx.packet(for_agent="reader", task="", max_tokens=200).text


def test_an_expired_entry_is_left_out_and_a_damaged_one_is_told(ctx: SharedContext) -> None:
    ctx.put("gone", "v", ttl=0)
    ctx.put("here", "v")
    ctx.store.backend.commit("session:default", (Put("bad", b"no blob"),))
    found = ctx.window(100)
    assert list(found.reasons) == ["here", "bad"]
    assert found.reasons["bad"].startswith("damaged: ")
    assert "- 1 more: list() names them" in found.text


def test_a_packet_shows_what_giver_and_receiver_may_both_read(ctx: SharedContext) -> None:
    for key in ("open", "lead/plan", "coder/notes"):
        ctx.put(key, f"text of {key}")
    ctx.grant("lead", read=["open", "lead/*"])
    ctx.grant("coder", read=["open", "coder/*"])

    def handed(giver: SharedContext) -> set[str]:
        return set(giver.packet(for_agent="coder", task="", max_tokens=500).reasons)

    assert handed(ctx) == {"open", "coder/notes"}
    assert handed(ctx.bind("lead")) == {"open"}
    assert handed(ctx.bind("coder")) == {"open", "coder/notes"}


def test_the_highest_priority_is_whole_even_in_the_place_of_references(ctx: SharedContext) -> None:
    for n in range(100):
        ctx.put(f"other/{n:03}", prose(200))
    ctx.put("task", prose(140))
    size = ctx.settings.count_tokens(prose(140))
    found = ctx.window(size + 45, priorities={"task": 1})
    assert found.selection.included[0].form == "whole"
    assert prose(140) in found.text
    assert len(found.selection.listed) + len(found.selection.references) == 100
    assert "more: list() names them" in found.text


def test_what_no_reference_needs_is_given_to_entries(ctx: SharedContext) -> None:
    for n in range(5):
        ctx.put(f"note{n}", prose(20))
    found = ctx.window(ctx.window(10_000).tokens + 30)
    assert [part.form for part in found.selection.parts] == ["whole"] * 5


@pytest.mark.parametrize("budget", [50, 60, 200])
def test_the_budget_holds_by_any_counter(budget: int) -> None:
    for count in (len, lambda text: 3 * len(text.split()) + 7, lambda text: len(text.encode()) // 2):
        ctx = sharedctx.open("memory://").session(count_tokens=Named(count))
        for n in range(300):
            ctx.put(f"a-rather-long-name/{n:05}", prose(30))
        found = ctx.window(budget)
        assert found.tokens == count(found.text) <= budget


@pytest.mark.parametrize(
    "wrong",
    [
        {"priorities": {"a": "high"}},
        {"priorities": {"a": float("nan")}},
        {"priorities": {"a": 10**400}},
        {"priorities": [("a", 1)]},
        {"priorities": "a"},
        {"query": 7},
        {"query": "\ud800"},
    ],
)
def test_odd_wishes_are_refused(ctx: SharedContext, wrong: Any) -> None:
    ctx.put("a", "v")
    with pytest.raises(InvalidValue):
        ctx.window(500, **wrong)
    for tokens in ("500", 1e3, True, None):
        with pytest.raises(InvalidValue):
            ctx.window(tokens)  # type: ignore[arg-type]
        with pytest.raises(InvalidValue):
            ctx.packet(for_agent="a", task="t", max_tokens=tokens)  # type: ignore[arg-type]


def test_an_empty_session_gives_an_empty_window(ctx: SharedContext) -> None:
    assert ctx.window(50).text == ""
    assert ctx.packet(for_agent="a", task="do it", max_tokens=100).text == "# Shared context for a\nTask: do it"


@pytest.mark.parametrize("tokens", [-1, 0, 49])
def test_a_budget_below_50_is_refused(ctx: SharedContext, tokens: int) -> None:
    with pytest.raises(InvalidValue, match="50"):
        ctx.window(tokens)
    with pytest.raises(InvalidValue):
        ctx.packet(for_agent="a", task="", max_tokens=tokens)


def test_a_bad_packet_is_refused_with_its_cure(ctx: SharedContext) -> None:
    with pytest.raises(ConfigError):
        ctx.packet(for_agent="", task="t", max_tokens=500)
    with pytest.raises(InvalidValue, match="lone surrogate"):
        ctx.packet(for_agent="a", task="mend \ud800", max_tokens=500)
    with pytest.raises(InvalidValue, match="shorten the task"):
        ctx.packet(for_agent="a", task=prose(500), max_tokens=500)


def test_the_same_state_gives_the_same_packet_and_a_change_goes_to_its_end(ctx: SharedContext) -> None:
    for key in ("a", "b", "c"):
        ctx.put(key, f"{key}: {prose(20)}")
    first = ctx.packet(for_agent="coder", task="mend it", max_tokens=2000)
    ctx.store.session("other").put("x", "a change elsewhere")
    assert ctx.packet(for_agent="coder", task="mend it", max_tokens=2000).text == first.text
    ctx.put("a", "changed")
    second = ctx.packet(for_agent="coder", task="mend it", max_tokens=2000).text
    assert second.startswith("# Shared context for coder\nTask: mend it\n\n## b v1")
    assert second.endswith("## a v2\nchanged")


def test_a_paragraph_that_stood_before_is_not_written_again(ctx: SharedContext) -> None:
    common = "Every agent must keep to the coding style of the house, and test what it writes. " * 3
    ctx.put("first", f"{common}\n\nwhat is first's own")
    ctx.put("second", f"what is second's own\n\n{common}")
    text = ctx.packet(for_agent="a", task="", max_tokens=2000).text
    assert text.count(common.strip()) == 1
    assert "[[as in first above: Every agent must keep" in text
    assert "what is second's own" in text


def test_runs_of_lines_that_stood_before_are_named_and_their_room_is_given_to_others(ctx: SharedContext) -> None:
    common = "\n".join(f"rule {n}: keep to the style of the house in every module" for n in range(40))
    own = [f"what agent {n} found is of its own\n{common}\nend of {n}" for n in range(8)]
    for n, text in enumerate(own):
        ctx.put(f"finding/{n}", text)
    whole = sum(ctx.settings.count_tokens(text) for text in own)
    packet = ctx.packet(for_agent="a", task="", max_tokens=whole // 3)
    assert packet.tokens <= whole // 3
    assert packet.text.count("rule 39:") == 1
    assert packet.text.count("[[40 lines as in finding/0 above: rule 0:") == 7
    assert all(f"what agent {n} found" in packet.text and f"end of {n}" in packet.text for n in range(8))


def test_a_packet_is_text_json_and_messages(ctx: SharedContext) -> None:
    ctx.put("k", "v", agent="lead")
    packet = ctx.packet(for_agent="coder", task="t", max_tokens=200)
    assert packet.messages() == [{"role": "user", "content": packet.text}]
    found = json.loads(json.dumps(packet.to_dict()))
    assert found["entries"] == [
        {"key": "k", "version": 1, "agent": "lead", "form": "whole", "tokens": 1, "reason": "priority 0, fits whole"}
    ]


_VALUES = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=400),
    st.integers(0, 2000).map(lambda n: prose(n, n)),
    st.integers(0, 400).map(lambda n: [{"id": m, "state": "open" if m % 7 else "failed"} for m in range(n)]),
    st.integers(1, 300).map(lambda n: "\n\n".join(f"paragraph {m % 5} " * 20 for m in range(n))),
)


@settings(max_examples=60)
@given(
    st.dictionaries(st.text("abc/", min_size=1, max_size=4).filter(lambda key: ".." not in key), _VALUES, max_size=12),
    st.integers(50, 3000),
    st.dictionaries(st.sampled_from(["a*", "b", "*c", "*"]), st.floats(0, 10), max_size=3),
    st.sampled_from([None, "failed", "paragraph 3", "finding7 \u202e"]),
)
def test_no_budget_is_exceeded_and_every_entry_is_accounted_for(
    entries: dict[str, Any], budget: int, priorities: dict[str, float], query: str | None
) -> None:
    ctx = sharedctx.open("memory://").session()
    for key, value in entries.items():
        ctx.put(key, value)
    count = ctx.settings.count_tokens
    window = ctx.window(budget, priorities=priorities, query=query)
    found = [window]
    if budget >= 100:
        found.append(ctx.packet(for_agent="a", task=query or "", max_tokens=budget, priorities=priorities))
    for each in found:
        assert count(each.text) == each.tokens <= budget
        assert sorted(part.key for part in each.selection.parts) == sorted(entries)
        assert all(part.reason for part in each.selection.parts)
        for part in each.selection.references:
            assert part.reference in each.text
        for key, ref in CALL.findall(each.text):
            if json.loads(key) in entries:
                assert call(ctx, "expand", {"key": json.loads(key), "ref": ref, "max_tokens": 50}).error is None
    assert ctx.window(budget, priorities=priorities, query=query) == window
