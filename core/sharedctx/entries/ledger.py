"""What lives in a session and how many tokens its views cost, kept current by the change feed."""

from __future__ import annotations

from dataclasses import dataclass

from ..backends import steps
from ..backends.steps import Steps
from ..errors import DecodeError, KeyNotFound
from ..versions.log import Version
from ..views.plain import as_text
from .session import Session


@dataclass(frozen=True, slots=True)
class Line:
    """One live entry: its version and its tokens, as the session's settings count them."""

    version: Version
    tokens: int


class Ledger:
    """Live entries in the limits' scope by key. ``sync`` reads only what changed since the last call."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lines: dict[str, Line] = {}
        self._rev: int | None = None

    def sync(self) -> Steps[tuple[int, dict[str, Line]]]:
        """Return the revision that was read and the live entries at it; expired ones are left out."""
        session = self._session
        rev = yield from steps.rev(session.space)
        lines = dict(self._lines)
        changed = yield from session.changed_keys(self._rev, lines, session.settings.scope)
        for pk in filter(session.settings.covers, changed):
            line = yield from self._line(pk)
            if line is None:
                lines.pop(pk, None)
            else:
                lines[pk] = line
        self._lines, self._rev = lines, rev
        live = {}
        for pk, line in lines.items():
            if not (yield from session.log.leases.expired(line.version)):
                live[pk] = line
        return rev, live

    def _line(self, pk: str) -> Steps[Line | None]:
        try:
            version = yield from self._session.log.head(pk)
            if version is None:
                return None
            tokens = 0
            settings = self._session.settings
            if settings.count_originals:
                tokens = settings.count_tokens(as_text((yield from self._session.value(version))))
            elif settings.max_store_tokens is not None:
                tokens = (yield from self._session.views.view(version)).tokens
            return Line(version, tokens)
        except (DecodeError, KeyNotFound):
            return None
