"""The views of a session's versions, made when they are first asked for and kept while there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from ..backends.steps import Steps
from ..forking import renew_after_fork
from ..settings import SessionSettings
from ..versions.codec import BYTES, RAW
from ..versions.log import Version
from ..views.plain import SHORT, as_text
from .keeping import KeptViews

if TYPE_CHECKING:
    from ..views import View

_CHARACTERS = 16 * 2**20


class Shown(NamedTuple):
    """What a model is shown of a value."""

    text: str
    tokens: int
    original_tokens: int


_At = tuple[int, str, int | None, str | None]


class Viewing:
    """Makes and keeps views, least recently used out first; a version never changes, nor do its views."""

    def __init__(
        self, settings: SessionSettings, value: Callable[[Version], Steps[Any]], everywhere: KeptViews
    ) -> None:
        self._settings = settings
        self._everywhere = everywhere
        self._value = value
        self._kept: OrderedDict[_At, View] = OrderedDict()
        self._size = 0
        self._lock = Lock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Keep nothing: a thread of the parent may have been at it."""
        self._lock = Lock()
        self._kept = OrderedDict()
        self._size = 0

    def whole(self, version: Version, max_tokens: int | None = None, query: str | None = None) -> Shown | None:
        """Return a value too small to be shortened as it is, not counted but taken for a token in four bytes, or None.

        Of those that are kept in their row: the others take steps.
        """
        blob = version.blob
        if blob.size > SHORT or max_tokens is not None or query is not None:
            return None
        if blob.compression is not RAW or blob.kind is BYTES or self._limit(version) is not None:
            return None
        tokens = blob.size // 4
        return Shown(blob.payload.decode(), tokens, tokens)  # JSON is stored as it is shown

    def show(self, version: Version, max_tokens: int | None = None, query: str | None = None) -> Steps[Shown]:
        """Return the text of the version's view with its tokens."""
        size = version.blob.size
        if size <= SHORT and max_tokens is None and query is None and self._limit(version) is None:
            return Shown(as_text((yield from self._value(version))), size // 4, size // 4)
        view = yield from self.view(version, max_tokens, query)
        return Shown(view.text, view.tokens, view.original_tokens)

    def view(self, version: Version, max_tokens: int | None = None, query: str | None = None) -> Steps[View]:
        """Return the version's view, of at most ``max_tokens`` and with what has the query's words."""
        limit = self._limit(version)
        if limit is not None:
            max_tokens = limit if max_tokens is None else min(limit, max_tokens)
        at = (version.rev, version.pk, max_tokens, query)
        with self._lock:
            held = self._kept.get(at)
            if held is not None:
                self._kept.move_to_end(at)
                return held
        shared = self._everywhere.fits(version, query)
        if shared and (found := (yield from self._everywhere.find(version, max_tokens))) is not None:
            self._keep(at, found)
            return found
        from ..views import compress  # with all its kinds, when the first view is made

        view = compress(
            (yield from self._value(version)),
            key=version.pk,
            version=version.number,
            max_tokens=max_tokens,
            query=query,
            count=self._settings.count_tokens,
            compressors=self._settings.compressors,
        )
        self._keep(at, view)
        if shared:
            yield from self._everywhere.keep(version, max_tokens, view)
        return view

    def _keep(self, at: _At, view: View) -> None:
        with self._lock:
            if at not in self._kept:
                self._size += len(view.text)
            self._kept[at] = view
            while self._size > _CHARACTERS and len(self._kept) > 1:
                _, gone = self._kept.popitem(last=False)
                self._size -= len(gone.text)

    def _limit(self, version: Version) -> int | None:
        """The tokens that the value was compressed to when a budget met it, or that every value is, or None."""
        if self._settings.policy != "compress":
            return None
        note = version.blob.note
        return int(note[5:]) if note.startswith("view:") else self._settings.max_value_tokens
