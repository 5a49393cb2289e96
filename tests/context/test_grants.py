"""Grants hold what they say, and a bad one is refused before it is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx.errors import InvalidValue
from sharedctx.testing import ManualClock


@pytest.mark.parametrize("patterns", ["pub/*", [5], None, 5, [""], b"pub/*"])
def test_patterns_are_a_list_of_text(patterns: Any) -> None:
    ctx = sharedctx.open("memory://").session()
    ctx.put("secret/a", "v")
    with pytest.raises(InvalidValue, match="read"):
        ctx.grant("subagent:x", read=patterns)
    for participant in ("", 3, None):
        with pytest.raises(InvalidValue, match="participant"):
            ctx.grant(participant, read=["pub/*"])  # type: ignore[arg-type]
    assert ctx.grants().rules == {}


def test_what_went_is_told_to_those_who_could_read_it() -> None:
    clock = ManualClock(1.0)
    ctx = sharedctx.open("memory://", clock=clock).session(max_entries=1)
    ctx.put("secret/a", "1")
    clock.advance(1)
    ctx.put("b", "2")
    clock.advance(1)
    ctx.put("c", "3")
    ctx.grant("subagent:x", read=["b"])
    assert [gone.key for gone in ctx.evicted()] == ["secret/a", "b"]
    assert [gone.key for gone in ctx.bind("subagent:x").evicted()] == ["b"]


def test_a_changed_grant_binds_the_next_read_of_every_opener(tmp_path: Path) -> None:
    url = f"memory://{tmp_path.name}"
    with sharedctx.open(url) as store, sharedctx.open(url) as other:
        ctx, owner = store.session(), other.session()
        reader = ctx.bind("reader")
        ctx.put("secret", "v")
        for _ in range(3):
            owner.grant("reader", read=["secret"])
            assert reader.get("secret") == "v"
            ctx.grants().rules["reader"]["read"] = ("*",)  # the caller's own, and no way to a right
            owner.grant("reader", read=["public"])
            assert reader.get("secret") is None
            ctx.grants().rules.clear()
            assert reader.get("secret") is None
            owner.revoke("reader")
            assert reader.get("secret") == "v"


def test_of_rules_that_are_set_at_the_same_time_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = sharedctx.open("memory://").session()
    commit = ctx.store.backend.commit

    def late(*given: Any, **options: Any) -> Any:
        monkeypatch.undo()
        ctx.grant("second", read=["b"])
        return commit(*given, **options)

    monkeypatch.setattr(ctx.store.backend, "commit", late)
    ctx.grant("first", read=["a"])
    assert {name: rule["read"] for name, rule in ctx.grants().rules.items()} == {"first": ("a",), "second": ("b",)}
