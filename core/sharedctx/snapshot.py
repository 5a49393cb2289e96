"""A session as it was at one revision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from .backends.steps import Steps
from .entry import ContextEntry

if TYPE_CHECKING:
    from .aio import AsyncSharedContext
    from .context import SharedContext


class Snapshot:
    """A session at one revision, read-only; see ``SharedContext.as_of``."""

    def __init__(self, context: SharedContext, rev: int) -> None:
        self._context = context
        self.rev = rev

    @overload
    def get(self, key: str, *, full: Literal[False] = False) -> str | None: ...
    @overload
    def get(self, key: str, *, full: bool) -> Any: ...
    def get(self, key: str, *, full: bool = False) -> Any:
        """Return the view, or with ``full=True`` the value, as of the revision; None if there was none."""
        entry = self.get_entry(key)
        return None if entry is None else self._context.get(key, full=full, version=entry.version)

    def get_entry(self, key: str) -> ContextEntry | None:
        """Return the entry that was live at the revision, or None. Raises ``Compacted`` where history was trimmed."""
        return self._context.run(self.entry_steps(key))

    def keys(self, prefix: str = "") -> list[str]:
        """Return the keys that were live at the revision, in order."""
        return self._context.run(self.keys_steps(prefix))

    def entry_steps(self, key: str) -> Steps[ContextEntry | None]:
        """``get_entry`` as steps."""
        return self._context.verbs.entry_as_of(self._context.participant, key, self.rev)

    def keys_steps(self, prefix: str) -> Steps[list[str]]:
        """``keys`` as steps."""
        return self._context.verbs.keys_as_of(self._context.participant, prefix, self.rev)


class AsyncSnapshot:
    """A session at one revision, read-only, for coroutines; see ``Snapshot``."""

    def __init__(self, snapshot: Snapshot, context: AsyncSharedContext) -> None:
        self._sync = snapshot
        self._context = context
        self.rev = snapshot.rev

    @overload
    async def get(self, key: str, *, full: Literal[False] = False) -> str | None: ...
    @overload
    async def get(self, key: str, *, full: bool) -> Any: ...
    async def get(self, key: str, *, full: bool = False) -> Any:
        """Return the view, or with ``full=True`` the value, as of the revision; None if there was none."""
        entry = await self.get_entry(key)
        return None if entry is None else await self._context.get(key, full=full, version=entry.version)

    async def get_entry(self, key: str) -> ContextEntry | None:
        """Return the entry that was live at the revision, or None."""
        return await self._context.run(self._sync.entry_steps(key))

    async def keys(self, prefix: str = "") -> list[str]:
        """Return the keys that were live at the revision, in order."""
        return await self._context.run(self._sync.keys_steps(prefix))
