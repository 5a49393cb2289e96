"""Checking an audit log: its chain by itself, and against the versions that lie beside it."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Final, NamedTuple

from ..backends import steps
from ..backends.steps import Steps
from ..errors import DecodeError
from ..versions.cache import ContentCache, Version
from ..versions.codec import Kind
from ..versions.reading import Versions
from ..versions.witness import Act
from .record import START, AuditHead, Line, digest, key_id
from .trail import Trail

_LATE: Final = 2.0
"""Seconds in which other processes may not know yet that a log was begun."""
_WRITES: Final = frozenset({"put", "rollback", "delete", "erase", "evict"})
_REMOVALS: Final = frozenset({"erase", "evict", "trim"})
_PAGE: Final = 200


class _Span(NamedTuple):
    """When a log was on: from ``rev`` and ``at`` until revision ``end``."""

    rev: int
    at: float
    end: float


class Verifying:
    """One check of the log of a space."""

    def __init__(self, trail: Trail, store: str) -> None:
        self._trail = trail
        self._versions = Versions(store, trail.space, ContentCache(0))
        self._faults: list[str] = []
        self._lines: list[tuple[int, Line]] = []

    def run(self, head: AuditHead | None = None) -> Steps[list[str]]:
        """Return a sentence for each fault: a row that was edited, removed, moved or made by somebody without the key,
        a version that no row tells of, or that is gone or other than was told. ``head`` is one that was kept elsewhere.
        """
        yield from self._chain(head)
        if self._lines:
            yield from self._beside()
        return [f"{self._trail.space}: the audit log {fault}" for fault in self._faults]

    def _chain(self, head: AuditHead | None) -> Steps[None]:
        rows = yield from self._trail.rows()
        expected, prev, authentic, met = 1, START, False, False
        for row in rows:
            if isinstance(row, DecodeError):
                self._faults.append(f"has a row that does not read: {row.message}")
                prev = b""
                expected += 1
                continue
            try:
                line = self._trail.line(row)
            except DecodeError as error:
                self._faults.append(f"has a foreign row {row.number}: {error.message}")
                prev = b""
                expected = row.number + 1
                continue
            if row.number > expected:
                self._faults.append(f"has no rows {expected} to {row.number - 1}: they were removed")
            elif line.number == row.number and prev not in (b"", line.prev):
                self._faults.append(f"does not follow at row {row.number}: the rows before it are not those it was for")
            self._check(row, line, authentic)
            authentic = authentic or bool(line.key_id)
            if head is not None and head.number == row.number:
                met = True
                if not hmac.compare_digest(head.digest, line.digest.hex()):
                    self._faults.append(f"was written anew: row {row.number} is not the one whose head was kept")
            self._lines.append((row.rev, line))
            expected, prev = row.number + 1, line.digest
        if head is not None and (head.space != self._trail.space or not met):
            what = f"row {head.number}" if head.space == self._trail.space else head.space
            self._faults.append(f"was cut: it has no {what}, whose head was kept")

    def _check(self, row: Version, line: Line, authentic: bool) -> None:
        key = self._trail.key
        if line.number != row.number:
            self._faults.append(f"has row {line.number} in the place of row {row.number}: they were put in other order")
        if authentic and not line.key_id:
            self._faults.append(f"has row {row.number} without a key, after rows with one: it was not written here")
        elif line.key_id and line.key_id != key_id(key):
            if not authentic:
                self._faults.append(f"is kept with the key {line.key_id}, which was not given: only links were checked")
        elif not hmac.compare_digest(digest(line.prev, line.payload, key if line.key_id else None), line.digest):
            self._faults.append(f"has row {row.number} with another content than was written")
        began = next((act.detail for act in line.acts if act.action == "begin"), None)
        if (began is None) is (row.number == 1):
            self._faults.append(f"begins anew at row {row.number}" if began else "has lost its beginning")
        elif began is not None and began != self._trail.space:
            self._faults.append(f"was begun as that of {began}")

    def _spans(self) -> list[_Span]:
        spans: list[_Span] = []
        for rev, line in self._lines:
            for act in line.acts:
                if act.action in ("begin", "resume"):
                    spans.append(_Span(rev, line.at, float("inf")))
                elif act.action == "end" and spans:
                    spans[-1] = spans[-1]._replace(end=rev)
        return spans or [_Span(self._lines[0][0], self._lines[0][1].at, float("inf"))]

    def _beside(self) -> Steps[None]:
        """Compare what was told with the versions that are there."""
        told: dict[tuple[str, int], tuple[Act, int]] = {}
        removed: dict[str, int] = {}
        for _, line in self._lines:
            for act in line.acts:
                if act.action in _WRITES and act.version is not None:
                    told[act.key, act.version] = act, line.number
                if act.action in _REMOVALS:
                    removed[act.key] = max(removed.get(act.key, 0), line.number)
        spans = self._spans()
        there: set[tuple[str, int]] = set()
        for pk in (yield from steps.all_pks(self._trail.space, "", "\x01\U0010ffff")):
            number = 1
            while page := (yield from steps.scan(self._trail.space, pk, number, limit=_PAGE)):
                for row in page:
                    there.add((pk, int(row.sk)))
                    try:
                        version = self._versions.read_row(row)
                    except DecodeError:
                        continue  # damage is told by whoever reads the versions
                    known = told.get((pk, version.number))
                    if known is not None:
                        yield from self._compare(version, known[0].hash)
                    elif any(_covers(span, version) for span in spans):
                        self._faults.append(f"tells nothing of version {version.number} of {pk!r}")
                number = int(page[-1].sk) + 1
        for (key, at), (act, row_number) in told.items():
            if (key, at) in there or removed.get(key, 0) >= row_number:
                continue
            if act.expires is None or not (yield from steps.expired(act.expires)):
                self._faults.append(f"tells of version {at} of {key!r}, which is gone: nothing says why")

    def _compare(self, version: Version, told: str) -> Steps[None]:
        blob = version.blob
        same = told == (blob.sha256.hex() if blob.sha256 else "")
        if same and blob.sha256 and blob.live:
            try:
                same = digest_of(blob.kind, (yield from self._versions.content(version))) == blob.sha256
            except DecodeError:
                return
        if not same:
            self._faults.append(f"tells of another value in version {version.number} of {version.pk!r}")


def _covers(span: _Span, version: Version) -> bool:
    return span.rev < version.rev < span.end and version.blob.timestamp > span.at + _LATE


def digest_of(kind: Kind, content: bytes) -> bytes:
    """The sha256 that a value's version carries: of its bytes, or of its canonical JSON; empty where it is not that."""
    try:
        if kind is Kind.JSON:
            found = json.loads(content)
            told = json.dumps(found, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
            content = told.encode()
        elif kind is Kind.TEXT:
            content.decode()
    except (ValueError, RecursionError):
        return b""
    return hashlib.sha256(content).digest()
