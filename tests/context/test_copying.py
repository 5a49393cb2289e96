"""A copy has every version with its number, time and writer, is resumed where it was, and is compared at the end."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sharedctx
from sharedctx import Keyring, Store
from sharedctx.backends.base import Drop
from sharedctx.copying import copy
from sharedctx.errors import ConfigError, DecodeError, VersionConflict
from sharedctx.evolution import EvolutionStore
from sharedctx.notes import SharedContextStore
from sharedctx.testing import ManualClock

KINDS = ("memory", "disk", "redis")


@pytest.fixture
def make(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Store]]:
    opened: list[Store] = []
    clock = ManualClock(1_700_000_000.0)

    def make(kind: str) -> Store:
        if kind in ("redis", "dynamodb"):
            address = request.getfixturevalue(f"{kind}_url")
            address += f"-{len(opened)}" if kind == "redis" else f"&prefix=store{len(opened)}"
        else:
            address = "memory://" if kind == "memory" else str(tmp_path / f"store{len(opened)}")
        opened.append(sharedctx.open(address, clock=clock))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


def fill(store: Store) -> None:
    """Everything that a store can hold: versions, removals, gaps, expiry, grants, notes, evolutions, savings."""
    ctx = store.session("team", max_entries=9)
    for n in range(40):
        ctx.put("plan", "shared words " * 900 + f"step {n}", agent=f"agent{n % 3}")
        ctx.put("small", {"step": n})
    ctx.trim("plan", 8)
    ctx.put("bytes", os.urandom(3000))
    ctx.put("short-lived", "x", ttl=5)
    ctx.delete("small", agent="lead")
    ctx.put("small", "again")
    ctx.put("gone", "x")
    ctx.erase("gone")
    ctx.rollback("plan", 36)
    for n in range(6):
        ctx.put(f"many{n}", "y")
    ctx.grant("coder", read=["plan"])
    ctx.bind("lead", face="langgraph").get("plan")
    ctx.window(200)
    with SharedContextStore("team", store=store) as notes:
        notes.write("scope", "only the parser", readable_by=["coder"])
        notes.snapshot("first")
        notes.archive()

    async def evolve() -> None:
        evolutions = EvolutionStore(store=store)
        await evolutions.create_context("src", ["speed"], evolution_id="one")
        await evolutions.store_external_research(["small steps"], [], [])

    asyncio.run(evolve())


def told(store: Store) -> dict[str, Any]:
    """What a user sees of the store, apart from the numbers of revisions."""
    ctx = store.session("team")
    keys = ctx.keys()
    entries = [
        (entry.key, entry.version, entry.kind, entry.agent, entry.timestamp, entry.hash, entry.expires_at, entry.note)
        for key in [*keys, "short-lived", "many0", "gone"]
        for entry in ctx.history(key)
    ]
    notes = SharedContextStore("team", store=store)
    evolutions = EvolutionStore(store=store)
    context = asyncio.run(evolutions.get_context("one"))
    assert context is not None
    return {
        "keys": keys,
        "entries": entries,
        "values": {key: ctx.get(key, full=True) for key in keys},
        "old": ctx.get("plan", full=True, version=35),
        "evicted": ctx.evicted(),
        "grants": ctx.grants(),
        "notes": notes.list_keys(),
        "snapshots": [{**taken, "rev": 0} for taken in notes.snapshots()],
        "archived": notes.archived,
        "sessions": store.sessions(),
        "savings": [tuple(saving) for saving in ctx.savings()],
        "evolution": context.to_dict(),
        "doctor": store.doctor(),
    }


@pytest.mark.parametrize(
    ("source", "target"),
    [*((one, other) for one in KINDS for other in KINDS), ("disk", "dynamodb"), ("dynamodb", "redis")],
)
def test_a_copy_looks_like_its_source(make: Callable[[str], Store], source: str, target: str) -> None:
    here, there = make(source), make(target)
    fill(here)
    here.savings.close()
    done = copy(here, there)
    assert done.written == done.rows > 60
    ours = told(here)
    assert ours["evicted"]
    assert told(there) == ours
    entry = here.session("team").get_entry("plan")
    assert entry is not None
    assert there.session("team").put("plan", "goes on", expect=entry.version).version == entry.version + 1


def test_a_copy_looks_the_same_as_of_every_moment(make: Callable[[str], Store]) -> None:
    here, there = make("disk"), make("redis")
    ctx = here.session("s")
    moments = [ctx.put("ab"[n % 2], f"value {n}").rev for n in range(10)]
    copy(here, there)
    copied = there.session("s")
    theirs = [event.rev for event in copied.changes(0)]
    for ours, their in zip(moments, theirs, strict=True):
        assert [copied.as_of(their).get(key) for key in "ab"] == [ctx.as_of(ours).get(key) for key in "ab"]


def test_a_copy_that_is_repeated_brings_over_what_is_new(make: Callable[[str], Store]) -> None:
    here, there = make("disk"), make("memory")
    ctx = here.session("s")
    ctx.put("a", "1")
    first = copy(here, there)
    assert copy(here, there).written == 0
    ctx.put("a", "2")
    ctx.put("b", "new")
    ctx.trim("a", 1)
    second = copy(here, there)
    assert second.written >= 2
    assert second.rows >= first.rows
    assert [entry.version for entry in there.session("s").history("a")] == [2]
    assert there.session("s").get("b") == "new"


def test_a_session_made_anew_is_copied_anew(make: Callable[[str], Store]) -> None:
    here, there = make("disk"), make("disk")
    for n in range(3):
        here.session("s").put("a", str(n))
    copy(here, there)
    here.delete_session("s")
    assert copy(here, there).rows == 0
    assert there.sessions() == []
    here.session("s").put("a", "new")
    copy(here, there)
    assert [entry.version for entry in there.session("s").history("a")] == [1]
    assert there.session("s").get("a") == "new"


def test_a_copy_that_was_written_to_is_not_overwritten(make: Callable[[str], Store]) -> None:
    here, there = make("disk"), make("disk")
    here.session("s").put("a", "1")
    copy(here, there)
    there.session("s").put("a", "mine")
    here.session("s").put("a", "2")
    with pytest.raises(ConfigError, match=r"written to in the session 's' since"):
        copy(here, there)
    assert there.session("s").get("a") == "mine"


def test_a_session_of_the_target_is_not_mixed_with_one_of_the_source(make: Callable[[str], Store]) -> None:
    here, there = make("disk"), make("disk")
    here.session("s").put("a", "1")
    there.session("s").put("b", "2")
    there.session("other").put("b", "2")
    with pytest.raises(ConfigError, match="the session 's' already"):
        copy(here, there)
    assert there.session("s").keys() == ["b"]
    with pytest.raises(ConfigError, match="one store"):
        copy(here, here)


def test_a_damaged_version_stops_the_copy_with_its_name(make: Callable[[str], Store]) -> None:
    here, there = make("memory"), make("memory")
    here.session("s").put("a", "1")
    here.backend.commit("session:s", [sharedctx.backends.base.Put("b", b"nothing of ours")])
    with pytest.raises(DecodeError, match=r"session 's', 'b' version 1"):
        copy(here, there)


def test_a_source_that_changes_meanwhile_is_told(make: Callable[[str], Store]) -> None:
    here, there = make("memory"), make("memory")
    ctx = here.session("s")
    ctx.put("a", "1")
    ctx.put("b", "1")
    with pytest.raises(VersionConflict, match="copy again"):
        copy(here, there, lambda done, of: ctx.put("b", "2"))
    assert copy(here, there).rows > 2
    assert there.session("s").get("b") == "2"


@pytest.mark.parametrize("stopped_by", [KeyboardInterrupt, VersionConflict])
def test_what_others_write_to_a_copy_that_was_stopped_is_kept(
    make: Callable[[str], Store], stopped_by: type[BaseException]
) -> None:
    here, there = make("memory"), make("memory")
    ctx = here.session("s")
    for n in range(4):
        ctx.put(f"k{n}", "1")

    def stop(done: int, of: int) -> None:
        if done == 2:
            raise stopped_by("no more")

    with pytest.raises(stopped_by):
        copy(here, there, stop)
    with pytest.raises(stopped_by):  # it goes on, and is stopped again
        copy(here, there, stop)
    there.session("s").put("mine", "not of the source")
    with pytest.raises(ConfigError, match="written to in the session 's' since"):
        copy(here, there)
    assert there.session("s").get("mine") == "not of the source"


def test_a_copy_may_change_the_keys_of_encryption(tmp_path: Path) -> None:
    one, two = Keyring({"one": bytes(32)}), Keyring({"two": bytes(range(32))})
    with (
        sharedctx.open(tmp_path / "plain") as plain,
        sharedctx.open(tmp_path / "one", keyring=one) as first,
        sharedctx.open(tmp_path / "two", keyring=two) as second,
    ):
        plain.session("s").put("secret", "known to few")
        copy(plain, first)
        copy(first, second)
        assert second.session("s").get("secret") == "known to few"
    assert b"known to few" not in b"".join(path.read_bytes() for path in (tmp_path / "two").iterdir())


KILLED = """
import os, sys, sharedctx
from sharedctx.copying import copy
with sharedctx.open(sys.argv[1]) as here, sharedctx.open(sys.argv[2]) as there:
    copy(here, there, lambda done, of: os._exit(9) if done > int(sys.argv[3]) else None)
"""


def test_a_copy_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    source, target = str(tmp_path / "source"), str(tmp_path / "target")
    with sharedctx.open(source) as here:
        fill(here)
    for rows in (3, 20, 55):
        done = subprocess.run([sys.executable, "-c", KILLED, source, target, str(rows)], check=False)
        assert done.returncode == 9
    with sharedctx.open(source) as here, sharedctx.open(target) as there:
        done_last = copy(here, there)
        assert 0 < done_last.written < done_last.rows
        assert told(there) == told(here)


_STEP = st.tuples(st.sampled_from(["put", "delete", "trim", "drop", "erase"]), st.sampled_from("ab"), st.integers(1, 3))


@settings(max_examples=60)
@given(st.lists(_STEP, max_size=25), st.integers(0, 25))
def test_any_course_of_writes_is_copied(course: list[tuple[str, str, int]], cut: int) -> None:
    with sharedctx.open("memory://") as here, sharedctx.open("memory://") as there:
        ctx, copied = here.session("s"), there.session("s")
        for at, (verb, key, number) in enumerate(course):
            if at == cut:
                copy(here, there)
            live = ctx.get_entry(key) is not None
            if verb == "put":
                ctx.put(key, "words " * 1000 * number + str(at))
            elif verb == "delete" and live:
                ctx.delete(key)
            elif verb == "trim":
                ctx.trim(key, number)
            elif verb == "erase" and live:
                ctx.erase(key)
            elif verb == "drop" and (rows := here.backend.scan("session:s", key)):
                here.backend.commit("session:s", [Drop(key, rows[0].sk)])
        copy(here, there)
        for key in "ab":
            assert [(entry.version, entry.hash, entry.kind) for entry in copied.history(key)] == [
                (entry.version, entry.hash, entry.kind) for entry in ctx.history(key)
            ]
        assert copied.keys() == ctx.keys()
