"""When an item was made: a version that replaces a live one says it in its note; for others the history tells."""

from __future__ import annotations

from sharedctx.backends.steps import Steps
from sharedctx.versions.log import Version, VersionLog

_NOTE = "created:"
_PAGE = 64
_MOST = 10_000


class Creation:
    """Tells when the value of a version was first there: since then it was replaced, never removed."""

    def __init__(self, log: VersionLog) -> None:
        self._log = log
        self._known: dict[tuple[str, int], float] = {}

    def note(self, created: float) -> str:
        """Return the note of a version whose item was made at that time."""
        return f"{_NOTE}{created!r}"

    def of(self, version: Version) -> Steps[float]:
        """Return when the item of a live version was made, in seconds since the epoch."""
        if (said := _said(version)) is not None:
            return said
        at = (version.pk, version.rev)
        if at not in self._known:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[at] = yield from self._walk(version)
        return self._known[at]

    def _walk(self, version: Version) -> Steps[float]:
        created = version.blob.timestamp
        before = version.number
        while before > 1 and (page := (yield from self._log.history(version.pk, _PAGE, before))):
            for each in page:
                if not isinstance(each, Version):
                    before -= 1
                    continue
                if not each.blob.live or (each.expires is not None and each.expires <= created):
                    return created
                created, before = each.blob.timestamp, each.number
                if (said := _said(each)) is not None:
                    return said
        return created


def _said(version: Version) -> float | None:
    note = version.blob.note
    if not note.startswith(_NOTE):
        return version.blob.timestamp if version.number == 1 else None
    try:
        return float(note.removeprefix(_NOTE))
    except ValueError:
        return None
