"""An audit log shows what was edited, deleted, cut, reordered or written past it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx import Store
from sharedctx.audit import PK
from sharedctx.audit.record import digest, read
from sharedctx.backends.base import Row
from sharedctx.doctor import audits
from sharedctx.errors import InvalidValue
from sharedctx.testing import ManualClock
from sharedctx.versions import codec
from sharedctx.versions.codec import Kind
from sharedctx.versions.log import ContentCache, Draft, VersionLog

KEY = b"sixteen or more bytes"
SPACE = "session:team"


class Tampered:
    """A backend whose storage somebody changed who knows its format: rows of the log as ``change`` leaves them."""

    def __init__(self, backend: Any, change: Callable[[list[Row]], list[Row]]) -> None:
        self._backend = backend
        self._change = change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def scan(self, space: str, pk: str, lo: Any = 1, hi: Any = None, *, limit: int = 1000, **order: Any) -> list[Row]:
        if pk != PK or not isinstance(lo, int):
            return list(self._backend.scan(space, pk, lo, hi, limit=limit, **order))
        rows = [row for row in self._change(self._backend.scan(space, pk)) if int(row.sk) >= lo]
        return rows[:limit]

    def place(self, row: Row, number: int, content: bytes) -> Row:
        blob = codec.seal(codec.binding(self.id, SPACE, PK, number), Kind.BYTES, content, timestamp=1.0, compress=False)
        return row._replace(sk=number, value=blob)

    def content(self, row: Row) -> bytes:
        blob = codec.parse(codec.binding(self.id, SPACE, PK, int(row.sk)), row.value)
        return codec.content(blob, None)

    def rewritten(self, row: Row, old: str, new: str, key: bytes | None) -> Row:
        """Another content under a digest that fits, if ``key`` is that of the log."""
        line = read(self.content(row))
        payload = line.payload.replace(old.encode(), new.encode())
        assert payload != line.payload
        return self.place(row, int(row.sk), digest(line.prev, payload, key) + payload)

    def swapped(self, rows: list[Row], a: int, b: int) -> list[Row]:
        first, second = self.content(rows[a]), self.content(rows[b])
        rows[a], rows[b] = self.place(rows[a], a + 1, second), self.place(rows[b], b + 1, first)
        return rows


TAMPERING: dict[str, Callable[[Tampered, list[Row]], list[Row]]] = {
    "a row edited": lambda it, rows: [*rows[:2], it.place(rows[2], 3, it.content(rows[2]) + b" "), *rows[3:]],
    "a row edited with a digest": lambda it, rows: [
        *rows[:2],
        it.rewritten(rows[2], "coder", "xoder", None),
        *rows[3:],
    ],
    "the last row edited with a digest": lambda it, rows: [*rows[:-1], it.rewritten(rows[-1], "put", "pxt", None)],
    "a row without its checksum": lambda it, rows: [*rows[:2], rows[2]._replace(value=rows[2].value[:-1]), *rows[3:]],
    "a row deleted": lambda it, rows: rows[:2] + rows[3:],
    "a row deleted and the rest moved up": lambda it, rows: [
        *rows[:2],
        *(it.place(row, int(row.sk) - 1, it.content(row)) for row in rows[3:]),
    ],
    "the first row deleted": lambda it, rows: rows[1:],
    "the end cut": lambda it, rows: rows[:-1],
    "two rows in other order": lambda it, rows: it.swapped(rows, 2, 3),
    "all deleted but the first": lambda it, rows: rows[:1],
}


@pytest.mark.parametrize("name", TAMPERING)
def test_what_was_edited_deleted_cut_or_reordered_is_found(name: str, store: Store, clock: ManualClock) -> None:
    ctx = store.session("team")
    ctx.configure(audit=True)
    clock.advance(10)
    for step in range(6):
        ctx.bind("coder").put(f"key{step}", "v")
    assert audits(Tampered(store.backend, lambda rows: rows), KEY) == []  # type: ignore[arg-type]
    tampered = Tampered(store.backend, lambda rows: TAMPERING[name](tampered, rows))
    assert audits(tampered, KEY)  # type: ignore[arg-type]


def test_a_head_that_was_kept_shows_a_log_that_was_cut_with_its_versions(store: Store, clock: ManualClock) -> None:
    ctx = store.session("team")
    ctx.configure(audit=True)
    ctx.bind("coder").put("plan", "v")
    kept = str(ctx.audit_head())
    ctx.put("plan", "w")
    assert ctx.verify_audit(kept) == []
    assert [str(head) for head in store.audit_heads()] == [str(ctx.audit_head())]
    store.delete_session("team")
    assert [(each.action, each.key, each.version) for each in store.audit()][1:] == [("delete_session", "team", 3)]
    assert store.verify_audit() == []
    again = store.session("team")
    again.configure(audit=True)
    again.put("plan", "v")
    assert "row 2 is not the one whose head was kept" in again.verify_audit(kept)[0]
    later = kept.replace("@2:", "@9:")
    assert "was cut" in again.verify_audit(later)[0]
    with pytest.raises(InvalidValue, match="head"):
        ctx.verify_audit("nonsense")


def test_a_version_written_past_the_log_or_changed_in_the_store_is_found(tmp_path: Path, clock: ManualClock) -> None:
    with sharedctx.open(tmp_path, clock=clock) as store:
        ctx = store.session("team")
        ctx.configure(audit=True)
        clock.advance(10)
        ctx.put("plan", "the true text")
        bound = codec.binding(store.backend.id, SPACE, "plan", 1)
        blob = codec.parse(bound, store.backend.scan(SPACE, "plan")[0].value)
        forged = codec.seal(bound, Kind.TEXT, b"the fake text", timestamp=blob.timestamp, sha256=blob.sha256)
        with sqlite3.connect(tmp_path / "cache.db") as con:
            con.execute("UPDATE Cache SET value = ? WHERE key LIKE ?", (forged, "%plan%"))
        con.close()
        assert ctx.verify_audit() == ["session:team: the audit log tells of another value in version 1 of 'plan'"]
        silent = VersionLog(store.backend.id, SPACE, ContentCache(0))
        ctx.run(silent.append("plan", Draft(Kind.TEXT, b"unseen"), clock()))
        assert "tells nothing of version 2 of 'plan'" in ctx.verify_audit()[1]
        store.backend.reclaim(SPACE, "plan", 2)
        assert any("is gone: nothing says why" in fault for fault in ctx.verify_audit())
