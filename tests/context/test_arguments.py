"""A wrong argument is refused by name, with an error of the tree, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx import SessionSettings, SharedContext
from sharedctx.backends.disk import DiskBackend
from sharedctx.errors import ConfigError, InvalidKey, InvalidValue, SharedContextError
from sharedctx.notes import SharedContextStore, system_prompt

BAD: list[tuple[type[SharedContextError], Callable[[SharedContext], Any]]] = [
    (InvalidKey, lambda ctx: ctx.get(["a"])),  # type: ignore[call-overload]
    (InvalidKey, lambda ctx: ctx.put({}, 1)),  # type: ignore[arg-type]
    (InvalidKey, lambda ctx: ctx.put(b"k", 1)),  # type: ignore[arg-type]
    (InvalidValue, lambda ctx: ctx.changes(since=2**70)),
    (InvalidValue, lambda ctx: next(iter(ctx.watch(since=2**70)))),
    (InvalidValue, lambda ctx: ctx.as_of(-(2**70)).get("k")),
    (InvalidValue, lambda ctx: ctx.trim("k", 2**70)),
    (InvalidValue, lambda ctx: ctx.trim("k", 0)),
    (InvalidValue, lambda ctx: ctx.trim("k", 1.5)),  # type: ignore[arg-type]
    (InvalidValue, lambda ctx: ctx.get("k", version="1")),  # type: ignore[call-overload]
    (InvalidValue, lambda ctx: ctx.get("k", max_tokens="100")),  # type: ignore[call-overload]
    (InvalidValue, lambda ctx: ctx.get("k", query=5)),  # type: ignore[call-overload]
    (InvalidValue, lambda ctx: ctx.rollback("k", "1")),  # type: ignore[arg-type]
    (InvalidValue, lambda ctx: ctx.put("k", 1, ttl="5")),  # type: ignore[arg-type]
    (InvalidValue, lambda ctx: ctx.put("k", 1, ttl=float("nan"))),
    (InvalidValue, lambda ctx: ctx.put("k", 1, ttl=10**400)),
    (InvalidValue, lambda ctx: ctx.put("k", 1, expect="1")),  # type: ignore[arg-type]
    (InvalidValue, lambda ctx: ctx.put("k", 1, expect=-1)),
    (InvalidValue, lambda ctx: ctx.delete("k", expect="1")),  # type: ignore[arg-type]
    (InvalidValue, lambda ctx: ctx.expand("k", 5)),  # type: ignore[arg-type]
    (InvalidValue, lambda ctx: ctx.search(5)),  # type: ignore[arg-type]
    (InvalidValue, lambda ctx: ctx.keys(5)),  # type: ignore[arg-type]
    (InvalidValue, lambda ctx: ctx.history("k", limit=0)),
    (InvalidValue, lambda ctx: ctx.history("k", before="2")),  # type: ignore[arg-type]
    (InvalidValue, lambda ctx: ctx.rollback("k", 1, expect="1")),  # type: ignore[arg-type]
    (InvalidValue, lambda ctx: ctx.window("900")),  # type: ignore[arg-type]
    (InvalidValue, lambda ctx: ctx.window(900, priorities={"k": "high"})),  # type: ignore[dict-item]
    (InvalidValue, lambda ctx: ctx.window(900, priorities={5: 1})),  # type: ignore[dict-item]
    (InvalidValue, lambda ctx: ctx.audit(since=-1)),
    (InvalidValue, lambda ctx: ctx.verify_audit(5)),  # type: ignore[arg-type]
    (InvalidValue, lambda ctx: ctx.grant("coder", admin="*")),
    (InvalidValue, lambda ctx: ctx.nearest("k", limit=0)),
    (InvalidValue, lambda ctx: ctx.savings_by_minute(since=float("nan"))),
    (InvalidValue, lambda ctx: ctx.store.audit(since=-1)),
    (InvalidValue, lambda ctx: ctx.store.audit(limit=0)),
    (InvalidValue, lambda ctx: ctx.store.import_session("a.zip", most_bytes=float("inf"))),  # type: ignore[arg-type]
    (ConfigError, lambda ctx: ctx.store.session("s", ttl=1e308)),
    (ConfigError, lambda ctx: ctx.configure(audit="yes")),
    (ConfigError, lambda ctx: ctx.configure(ttl=float("nan"))),
    (ConfigError, lambda ctx: ctx.configure(max_entries=5)),
    (ConfigError, lambda ctx: sharedctx.open(5)),  # type: ignore[arg-type]
    (ConfigError, lambda ctx: sharedctx.open("memory://", audit_key="short")),
]


@pytest.mark.parametrize(("kind", "wrong"), BAD)
@pytest.mark.parametrize("address", ["disk", "memory://"])
def test_it_is_refused(
    tmp_path: Path, address: str, kind: type[SharedContextError], wrong: Callable[[SharedContext], Any]
) -> None:
    with sharedctx.open(tmp_path if address == "disk" else address) as store:
        ctx = store.session()
        ctx.put("k", "v")
        with pytest.raises(kind):
            wrong(ctx)
        assert [entry.version for entry in ctx.history("k", before=10**15)] == [1]


def test_settings_and_keywords_are_not_mixed_without_a_word() -> None:
    with pytest.raises(ConfigError, match="settings="):
        SharedContext(url="memory://", settings=SessionSettings(), ttl=5)
    for wrong in ({"max_entries": True}, {"count_tokens": 5}, {"ttl": -1}):
        with pytest.raises(ConfigError):
            SessionSettings(**wrong)  # type: ignore[arg-type]


def test_a_plain_function_counts_under_its_own_name() -> None:
    ctx = sharedctx.open("memory://").session(count_tokens=len)
    entry = ctx.put("k", "four")
    assert (entry.original_tokens, entry.counter, ctx.stats().counter) == (4, "len", "len")
    assert sharedctx.open("memory://").session(model="gpt-4").settings.count_tokens.name.endswith("cl100k_base")


@pytest.mark.parametrize("address", ["a\0b", b"bytes", 5, ""])
def test_an_address_that_is_none_is_refused(address: Any) -> None:
    with pytest.raises(ConfigError, match="address"):
        sharedctx.open(address)


@pytest.mark.parametrize("timeout", ["5", -1, float("nan"), float("inf")])
def test_a_watch_whose_timeout_is_none_is_refused(timeout: Any) -> None:
    ctx = SharedContext(url="memory://")
    with pytest.raises(InvalidValue, match="timeout"):
        next(ctx.watch(timeout=timeout))


@pytest.mark.parametrize(
    "settings",
    [
        {"ttl": "5"},
        {"ttl": float("nan")},
        {"ttl": -1},
        {"max_entries": "3"},
        {"max_value_tokens": 0},
        {"compressors": 5},
        {"compressors": {"text": "zip"}},
    ],
)
def test_a_setting_of_the_wrong_type_is_refused_when_the_session_is_opened(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        SharedContext(url="memory://", **settings)


@pytest.mark.parametrize("busy", [-1, float("nan"), float("inf"), "5"])
def test_how_long_to_wait_for_another_writer_is_a_number_of_seconds(tmp_path: Path, busy: Any) -> None:
    with pytest.raises(ConfigError, match="busy"):
        DiskBackend(tmp_path / "store", busy=busy)
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("limit", [0, -1, float("inf"), "1000"])
def test_the_limits_that_an_agent_is_told_are_limits(limit: Any) -> None:
    for name in ("max_value_tokens", "max_store_tokens"):
        with pytest.raises(ConfigError, match=name):
            system_prompt(**{name: limit})


def test_the_limits_of_notes_are_judged_when_they_are_opened() -> None:
    with pytest.raises(ConfigError, match="max_value_tokens"):
        SharedContextStore("s", max_value_tokens="1000")  # type: ignore[arg-type]
