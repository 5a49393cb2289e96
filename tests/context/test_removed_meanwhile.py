"""What others remove while it is read is gone, not damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx import SharedContext, Store
from sharedctx.errors import KeyNotFound

TEXT = "\n".join(f"line {n} of a plan" for n in range(600))


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """A store of a session whose second version builds on its first, opened by a reader and by somebody else."""
    with sharedctx.open(tmp_path) as first:
        first.session("team").put("plan", TEXT)
        first.session("team").put("plan", TEXT + "\nand one more")
    with sharedctx.open(tmp_path) as reader, sharedctx.open(tmp_path) as other:
        yield reader, other


def meanwhile(monkeypatch: pytest.MonkeyPatch, reader: Store, act: Callable[[], object]) -> SharedContext:
    """A reader's context; others act just before it reads what the second version builds on."""
    scan = reader.backend.scan
    acts = [act]

    def watched(space: str, pk: str, lo: Any = 1, hi: Any = None, **options: Any) -> Any:
        if (pk, lo, hi) == ("plan", 1, 2) and acts:
            acts.pop()()
        return scan(space, pk, lo, hi, **options)

    monkeypatch.setattr(reader.backend, "scan", watched)
    return reader.session("team")


@pytest.mark.parametrize("full", [True, False])
def test_a_deleted_session_holds_nothing(
    monkeypatch: pytest.MonkeyPatch, stores: tuple[Store, Store], full: bool
) -> None:
    reader, other = stores
    ctx = meanwhile(monkeypatch, reader, lambda: other.delete_session("team"))
    assert ctx.get("plan", full=full) is None


def test_who_reads_the_newest_reads_what_took_its_place(
    monkeypatch: pytest.MonkeyPatch, stores: tuple[Store, Store]
) -> None:
    reader, other = stores

    def anew() -> None:
        other.delete_session("team")
        other.session("team").put("plan", "anew")

    ctx = meanwhile(monkeypatch, reader, anew)
    assert ctx.get("plan", full=True) == "anew"


def test_a_trimmed_version_and_what_a_reference_names_are_told_as_gone(
    monkeypatch: pytest.MonkeyPatch, stores: tuple[Store, Store]
) -> None:
    reader, other = stores

    def trim() -> None:
        for n in range(3):
            other.session("team").put("plan", f"short {n}")
        other.session("team").trim("plan", 1)

    ctx = meanwhile(monkeypatch, reader, trim)
    assert ctx.get("plan", version=2, full=True) is None
    with pytest.raises(KeyNotFound):
        ctx.expand("plan", "v2:lines:1-3")


def test_a_window_and_a_search_leave_it_out(monkeypatch: pytest.MonkeyPatch, stores: tuple[Store, Store]) -> None:
    reader, other = stores
    other.session("team").put("scope", "the parser alone")
    ctx = meanwhile(monkeypatch, reader, lambda: other.session("team").erase("plan"))
    window = ctx.window(500)
    assert "the parser alone" in window.text
    assert "damaged" not in window.text


def test_what_is_written_builds_on_no_version_of_another_session_of_the_name(
    monkeypatch: pytest.MonkeyPatch, stores: tuple[Store, Store]
) -> None:
    writer, other = stores
    commit = writer.backend.commit
    acts: list[Callable[[], object]] = [
        lambda: other.delete_session("team"),
        lambda: other.session("team").put("plan", "anew"),
        lambda: other.session("team").put("plan", TEXT[::-1]),
    ]

    def late(*given: Any, **options: Any) -> Any:
        while acts:
            acts.pop(0)()
        return commit(*given, **options)

    monkeypatch.setattr(writer.backend, "commit", late)
    assert writer.session("team").put("plan", TEXT).version == 3
    assert other.session("team").get("plan", full=True) == TEXT
    assert other.doctor() == []
