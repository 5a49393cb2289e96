"""The audit log of one space: its rows are numbered versions, written in the commits that they tell of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from ..backends import steps
from ..backends.base import Head, Op, Put
from ..backends.steps import Steps
from ..errors import ConditionFailed, ConfigError, DecodeError
from ..versions import codec
from ..versions.cache import ContentCache, Version
from ..versions.codec import Kind
from ..versions.reading import Versions, revision_of
from ..versions.witness import Act
from .record import START, VARIABLE, AuditHead, AuditRecord, Line, key_id, read, write

PK: Final = "\x01audit"
_PAGE: Final = 200


class Trail:
    """A witness of all writes to ``space`` while ``is_on`` says so; rows once written are kept for good.

    With a ``key`` rows are authenticated. A chain that was begun with a key goes on with that key only.
    """

    def __init__(self, store: str, space: str, key: bytes | None, is_on: Callable[[], Steps[bool]]) -> None:
        self.space = space
        self.key = key
        self._store = store
        self.is_on = is_on
        self._given = 0
        self._rows = Versions(store, space, ContentCache(0))

    def ops(self, acts: Sequence[Act], agent: str, timestamp: float) -> Steps[tuple[Op, ...]]:
        """Return the row that tells of these acts; raises ``ConfigError`` without the key that the chain has."""
        newest = yield from steps.tail(self.space, PK)
        number, prev = 0, START
        onto: int | None = None
        begun = [Act("begin", "", detail=self.space)]
        if newest is not None:
            number, onto = int(newest.sk), revision_of(newest)
            try:
                line = self.line(self._rows.read_row(newest))
            except DecodeError as error:
                begun = [Act("begin", "", detail=f"{self.space} after a row that does not read: {error.message}")]
            else:
                self._require_key(line)
                prev = line.digest
                begun = [Act("resume", "")] if line.acts and line.acts[-1].action == "end" else []
        after = Head(number, max(number, self._given), onto)
        content = write(after.next, timestamp, agent, [*begun, *acts], prev, self.key)
        bound = codec.binding(self._store, self.space, PK, after.next)
        blob = codec.seal(bound, Kind.BYTES, content, timestamp=timestamp, agent=agent, compress=False)
        return (Put(PK, blob, when=after),)

    def refused(self, error: ConditionFailed) -> bool:
        """See ``Witness.refused``; numbers that foreign rows took are remembered."""
        if error.pk == PK and error.given is not None:
            self._given = error.given
        return error.pk == PK

    def note(self, acts: Sequence[Act], agent: str, timestamp: float, also: tuple[Op, ...] = ()) -> Steps[None]:
        """Write a row that tells of these acts, together with ``also``, whether the log is on or off."""
        while True:
            try:
                yield from steps.commit(self.space, (*also, *(yield from self.ops(acts, agent, timestamp))))
                return
            except ConditionFailed as error:
                if not self.refused(error):
                    raise

    def _require_key(self, line: Line) -> None:
        if line.key_id and line.key_id != key_id(self.key):
            raise ConfigError(
                f"the audit log of {self.space} is kept with the key {line.key_id}: set {VARIABLE}, or open the store "
                "with audit_key=, to write here"
            )

    def line(self, version: Version) -> Line:
        """Read a row; raises ``DecodeError``."""
        return read(codec.content(version.blob, None))

    def head(self) -> Steps[AuditHead | None]:
        """Return the newest row's number and digest, None where there is no row."""
        newest = yield from self._rows.newest(PK)
        if newest is None:
            return None
        return AuditHead(self.space, newest.number, self.line(newest).digest.hex())

    def rows(self, since: int = 0) -> Steps[list[Version | DecodeError]]:
        """Return the rows after number ``since``, oldest first; one that does not read stands there as its error."""
        found: list[Version | DecodeError] = []
        while page := (yield from steps.scan(self.space, PK, since + 1, limit=_PAGE)):
            for row in page:
                try:
                    found.append(self._rows.read_row(row))
                except DecodeError as error:
                    found.append(error)
            since = int(page[-1].sk)
        return found

    def records(self, since: int, limit: int, allowed: Callable[[str], bool]) -> Steps[list[AuditRecord]]:
        """Return the acts on ``allowed`` keys after row ``since``, oldest first: whole rows until ``limit`` is met.

        What does not read is left to ``verify``.
        """
        found: list[AuditRecord] = []
        while page := (yield from steps.scan(self.space, PK, since + 1, limit=min(limit, _PAGE))):
            for row in page:
                try:
                    line = self.line(self._rows.read_row(row))
                except DecodeError:
                    continue
                found += [record for record in line.records() if allowed(record.key)]
                if len(found) >= limit:
                    return found
            since = int(page[-1].sk)
        return found
