"""Whatever happens to a session, windows and packets keep their budget, reach everything, and changes are told once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

import sharedctx
from sharedctx import SharedContext
from sharedctx.handover import Window
from sharedctx.testing import ManualClock
from sharedctx.tokens import Named
from sharedctx.tools import call
from sharedctx.views.plain import as_text

KEYS = ["a/plan", "a/log", "b/rows", "b/text", "c"]
NAMES = ["lead", "coder"]
REFERENCE = re.compile(r'- (\S+) v(\d+), \d+ tokens: expand\((".*?"), "(v\d+:all)"\)')
MARKER = re.compile(r'expand\((".*?"), "(v\d+:(?!all).*?)"\)')

values = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=200),
    st.sampled_from(
        [
            *(" ".join(f"finding{m}" for m in range(n, 2 * n)) for n in (9, 60, 150, 400, 900)),
            *([{"id": m, "state": "open" if m % 7 else "failed"} for m in range(n)] for n in (2, 12, 60, 200)),
            *("\n".join(f"rule {m % 9}: a line that entries share" for m in range(n)) for n in (5, 9, 40, 120)),
        ]
    ),
)
keys = st.sampled_from(KEYS)
people = st.sampled_from([None, *NAMES])
patterns = st.lists(st.sampled_from(["a/*", "b/*", "*/plan", "c"]), max_size=2, unique=True)
priorities = st.dictionaries(st.sampled_from(["a/*", "*", "c", "b/rows"]), st.floats(0, 10), max_size=2)
queries = st.sampled_from([None, "failed", "rule 3", "finding7"])


def quadratic(text: str) -> int:
    """A counter by which a text costs more than its parts."""
    return len(text) // 4 + (len(text) // 60) ** 2


class HandoverMachine(RuleBasedStateMachine):
    """A session beside a plain model of it."""

    @initialize(count=st.sampled_from([None, quadratic]), held=st.lists(values, min_size=len(KEYS), max_size=len(KEYS)))
    def begin(self, count: Callable[[str], int] | None, held: list[Any]) -> None:
        self.clock = ManualClock(1_700_000_000.0)
        settings = {} if count is None else {"count_tokens": Named(count)}
        self.owner = sharedctx.open("memory://", clock=self.clock).session(**settings)
        self.versions: dict[str, list[Any]] = {}  # None stands for a removal
        self.brief: set[tuple[str, int]] = set()  # versions with an end: past it there is no going back to them
        self.ends: dict[str, float] = {}
        self.readable: dict[str | None, list[str] | None] = {}
        self.seen: dict[str, dict[str, int]] = {name: {} for name in NAMES}
        self.told: dict[str, dict[str, int | None]] = {name: {} for name in NAMES}
        self.regranted: dict[str, set[str]] = {name: set() for name in NAMES}
        for key, value in zip(KEYS, held, strict=True):
            self.put(key, value, None, None)

    def as_(self, name: str | None) -> SharedContext:
        return self.owner if name is None else self.owner.bind(name)

    def live(self, key: str) -> int | None:
        held = self.versions.get(key)
        gone = not held or held[-1] is None or self.ends.get(key, 1e99) <= self.clock()
        return None if gone else len(held or ())

    def may_read(self, name: str | None, key: str) -> bool:
        rules = self.readable.get(name)
        return rules is None or any(re.fullmatch(each.replace("*", ".*"), key) for each in rules)

    def shown(self, *names: str | None) -> list[str]:
        return [key for key in KEYS if self.live(key) and all(self.may_read(name, key) for name in names)]

    def commit(self, key: str, value: Any) -> None:
        self.versions.setdefault(key, []).append(value)
        self.ends.pop(key, None)
        for keys in self.regranted.values():
            keys.discard(key)

    def regrant(self, name: str, read: list[str] | None) -> None:
        before = {key for key in KEYS if self.may_read(name, key)}
        self.readable[name] = read
        self.regranted[name] |= before ^ {key for key in KEYS if self.may_read(name, key)}

    def saw(self, name: str | None, key: str, version: int) -> None:
        if name is not None:
            self.seen[name][key] = version
            if (self.told[name].get(key, version) or 0) < version:
                del self.told[name][key]  # it is told again of what goes again

    @rule(key=keys, value=values, by=people, ttl=st.sampled_from([None, None, 5.0]))
    def put(self, key: str, value: Any, by: str | None, ttl: float | None) -> None:
        self.as_(by).put(key, value, ttl=ttl)
        self.commit(key, value)
        if ttl is not None:
            self.ends[key] = self.clock() + ttl
            self.brief.add((key, len(self.versions[key])))
        self.saw(by, key, len(self.versions[key]))

    @rule(key=keys)
    def delete(self, key: str) -> None:
        if self.live(key):
            self.owner.delete(key)
            self.commit(key, None)

    @rule(key=keys, data=st.data())
    def roll_back(self, key: str, data: st.DataObject) -> None:
        held = self.versions.get(key, [])
        lasting = [number for number in range(1, len(held) + 1) if (key, number) not in self.brief]
        old = [number for number in lasting if held[number - 1] is not None]
        if old and key not in self.ends:
            number = data.draw(st.sampled_from(old))
            self.owner.rollback(key, number)
            self.commit(key, held[number - 1])

    @rule(seconds=st.sampled_from([1.0, 5.0]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(name=st.sampled_from(NAMES), read=patterns)
    def grant(self, name: str, read: list[str]) -> None:
        self.owner.grant(name, read=read, write=["*"])
        self.regrant(name, read)

    @rule(name=st.sampled_from(NAMES))
    def revoke(self, name: str) -> None:
        self.owner.revoke(name)
        self.regrant(name, None)

    @rule(name=st.sampled_from(NAMES), key=keys)
    def read(self, name: str, key: str) -> None:
        found = self.as_(name).get(key, full=True)
        version = self.live(key)
        if version and self.may_read(name, key):
            assert found == self.versions[key][version - 1]
            self.saw(name, key, version)
        else:
            assert found is None

    @rule(name=st.sampled_from(NAMES), key=keys)
    def read_and_hear(self, name: str, key: str) -> None:
        self.read(name, key)
        self.hear(name, ask=False)

    @rule(name=st.sampled_from(NAMES), key=keys, value=values)
    def put_and_hear(self, name: str, key: str, value: Any) -> None:
        self.put(key, value, name, None)
        self.hear(name, ask=False)

    @rule(name=st.sampled_from(NAMES))
    def hear(self, name: str, ask: bool = True) -> None:
        told = self.told[name]
        changed = {}
        for key, seen in self.seen[name].items():
            version = self.live(key) if self.may_read(name, key) else None
            if version not in (seen, told.get(key, seen)):
                changed[key] = (seen, version)
        context = self.as_(name)
        heard = {each.key: (each.read_version, each.version) for each in context.stale(diffs=True, ask=ask)}
        assert heard.items() <= changed.items()
        # a grant is no commit of the session: what it took away or gave back is told with the next one; and what it
        # wrote itself is no news to a participant that may not read it
        own = {key for key in changed if self.live(key) == self.seen[name][key]}
        assert changed.keys() - heard.keys() <= self.regranted[name] | own
        told |= {key: version for key, (_, version) in heard.items()}
        assert context.stale() == []

    @rule(
        name=people, budget=st.sampled_from([50, 80, 150, 300, 500, 800, 1500, 3000]), wanted=priorities, query=queries
    )
    def window(self, name: str | None, budget: int, wanted: dict[str, float], query: str | None) -> None:
        context = self.as_(name)
        found = context.window(budget, priorities=wanted, query=query)
        assert found == context.window(budget, priorities=wanted, query=query)
        self.check(found, budget, name, name)

    @rule(
        giver=people,
        to=st.sampled_from(NAMES),
        budget=st.sampled_from([100, 150, 300, 500, 800, 1500, 3000]),
        wanted=priorities,
        task=st.sampled_from(["", "mend rule 3", "failed"]),
    )
    def packet(self, giver: str | None, to: str, budget: int, wanted: dict[str, float], task: str) -> None:
        ask = {"for_agent": to, "task": task, "max_tokens": budget, "priorities": wanted}
        found = self.as_(giver).packet(**ask)  # type: ignore[arg-type]
        assert found == self.as_(giver).packet(**ask)  # type: ignore[arg-type]
        assert found.messages()[0]["content"] == found.text
        self.check(found, budget, to, giver)

    def check(self, found: Window, budget: int, reader: str | None, giver: str | None) -> None:
        parts = found.selection.parts
        assert self.owner.settings.count_tokens(found.text) == found.tokens <= budget
        assert sorted(part.key for part in parts) == sorted(self.shown(reader, giver))
        assert set(found.reasons) == {part.key for part in parts}
        assert all(found.reasons.values())
        context = self.as_(reader)
        for part in parts:
            value = self.versions[part.key][-1]
            assert part.version == self.live(part.key)
            if part.form == "whole":
                assert part.text == as_text(value)
            assert context.expand(part.key, f"v{part.version}:all") == as_text(value)
        named = {key for key, *_ in REFERENCE.findall(found.text)}
        assert {part.key for part in found.selection.references} <= named
        for key, ref in MARKER.findall(found.text):
            if json.loads(key) in KEYS:
                assert call(self.owner, "expand", {"key": json.loads(key), "ref": ref, "max_tokens": 50}).error is None
        if found.selection.listed:
            listed = call(self.owner, "list").text
            assert all(f"{part.key}  v{part.version}" in listed for part in found.selection.listed)
        for part in found.selection.included:
            self.saw(reader, part.key, part.version)


HandoverMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30)
TestHandovers = HandoverMachine.TestCase
