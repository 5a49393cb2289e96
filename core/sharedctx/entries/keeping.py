"""Views kept as side rows, in a space of their own: a large value is compressed once for all processes."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ..backends import steps
from ..backends.steps import Steps
from ..errors import DecodeError, SharedContextError
from ..settings import SessionSettings
from ..tokens import Named
from ..versions.collection import Collection
from ..versions.log import Version

if TYPE_CHECKING:
    from ..views import View

LARGE: Final = 4096
"""Bytes from which a view costs more to make than to keep."""
_EDITION: Final = 1
"""Raised when views must be made anew; those of another edition are not read."""


class KeptViews:
    """The views that every reader of a session would make alike, as steps: no query, the project's own counters.

    Keeping is for speed alone: a store that cannot be written is read without it.
    """

    def __init__(self, session: str, entries: str, settings: SessionSettings) -> None:
        self.space = f"views:{session}"
        self._entries = entries
        count = settings.count_tokens
        self._alike = type(count).__module__ == Named.__module__ and not isinstance(count, Named)
        self._alike = self._alike and not settings.compressors
        self._counter = count

    def fits(self, version: Version, query: str | None) -> bool:
        """Whether the view of this version is one that all readers share."""
        return self._alike and query is None and version.blob.size >= LARGE

    def find(self, version: Version, max_tokens: int | None) -> Steps[View | None]:
        """Return the view if it was kept of just this version."""
        from ..views import View

        try:
            found = yield from Collection(self.space, version.pk).get(self._place(version, max_tokens))
            if found is None or found["of"] != _mark(version):
                return None
            text, kind, tokens, original, transforms, refs, lossless = found["view"]
            return View(text, kind, tokens, original, tuple(transforms), tuple(refs), lossless)
        except (DecodeError, TypeError, ValueError, KeyError):
            return None  # damage is the doctor's to tell; the view is made anew

    def keep(self, version: Version, max_tokens: int | None, view: View) -> Steps[None]:
        """Keep a view, unless its version went meanwhile: nothing may outlive an erasure."""
        rows = Collection(self.space, version.pk)
        place = self._place(version, max_tokens)
        told = [view.text, view.kind, view.tokens, view.original_tokens, view.transforms, view.refs, view.lossless]
        with suppress(SharedContextError):
            put = rows.put(place, {"of": _mark(version), "view": told}, expires=version.expires)
            yield from steps.commit(self.space, (put,))
            number = version.number
            there = yield from steps.scan(self._entries, version.pk, number, number + 1, limit=1)
            if not there or there[0].rev != version.rev:
                yield from steps.commit(self.space, (rows.drop(place),))

    def forget(self, key: str) -> Steps[None]:
        """Remove the views of a key whose history goes."""
        yield from steps.reclaim(self.space, key)

    def sweep(self, now: float) -> Steps[None]:
        """Remove the views of what has expired."""
        yield from steps.reclaim(self.space, None, None, now)

    def _place(self, version: Version, max_tokens: int | None) -> str:
        return f"{version.number:015d} {max_tokens or ''} {self._counter.name} {_EDITION}"


def _mark(version: Version) -> list[object]:
    """What tells this version from one of the same number in a session made anew."""
    blob = version.blob
    return [version.rev, blob.timestamp, blob.sha256.hex() if blob.sha256 else ""]
