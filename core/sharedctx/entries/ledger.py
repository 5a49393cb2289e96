"""What lives in a session and how many tokens its views cost, kept current by the change feed."""

from __future__ import annotations

from dataclasses import dataclass

from ..backends import steps
from ..backends.steps import Steps
from ..errors import Compacted, DecodeError
from ..versions.log import Version
from .session import RESERVED, Session


@dataclass(frozen=True, slots=True)
class Line:
    """One live entry: its version and the tokens of its view."""

    version: Version
    tokens: int


class Ledger:
    """Live entries by key. ``sync`` reads only what changed since the last call."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lines: dict[str, Line] = {}
        self._rev = 0

    def sync(self) -> Steps[tuple[int, dict[str, Line]]]:
        """Return the revision that was read and the live entries at it; expired ones are left out."""
        session = self._session
        rev = yield from steps.rev(session.space)
        lines = dict(self._lines)
        since = self._rev
        if since == 0:
            changed = set((yield from steps.all_pks(session.space, "", RESERVED + "\U0010ffff")))
        else:
            try:
                changed = yield from self._changed(since)
            except Compacted:
                changed = {*lines, *(yield from steps.all_pks(session.space, "", RESERVED + "\U0010ffff"))}
        for pk in changed:
            line = yield from self._line(pk)
            if line is None:
                lines.pop(pk, None)
            else:
                lines[pk] = line
        self._lines, self._rev = lines, rev
        live = {}
        for pk, line in lines.items():
            if not (yield from steps.expired(line.version.expires)):
                live[pk] = line
        return rev, live

    def _changed(self, since: int) -> Steps[set[str]]:
        changed: set[str] = set()
        while page := (yield from steps.changes(self._session.space, since)):
            changed |= {change.pk for change in page if not change.pk.startswith(RESERVED)}
            since = page[-1].rev
        return changed

    def _line(self, pk: str) -> Steps[Line | None]:
        try:
            version = yield from self._session.log.head(pk)
            if version is None:
                return None
            tokens = 0
            if self._session.settings.max_store_tokens is not None:
                tokens = (yield from self._session.view(version)).tokens
            return Line(version, tokens)
        except DecodeError:
            return None
