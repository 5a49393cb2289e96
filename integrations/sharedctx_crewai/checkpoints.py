"""Checkpoints of crews and flows as versions of one entry: each costs what it differs from the one before."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from sharedctx import SharedContext, Store
from sharedctx.entries.arguments import check_number, check_words
from sharedctx.errors import ConfigError, KeyNotFound
from sharedctx.extras import extra
from sharedctx.opening import Openable, Opening

from .address import segment

with extra("crewai", "checkpoints of crews"):
    from crewai.state.checkpoint_config import CheckpointConfig
    from crewai.state.provider.json_provider import JsonProvider
    from pydantic import PrivateAttr

_ROOT = "checkpoint"
_NUMBER = re.compile(r"[0-9]{1,18}")
T = TypeVar("T", covariant=True)


class Restorable(Protocol[T]):
    """A crew's, flow's or agent's class."""

    def from_checkpoint(self, config: CheckpointConfig, /) -> T:
        """Make it from a checkpoint."""
        ...


class ContextCheckpoints(Openable, JsonProvider):
    """A provider for ``CheckpointConfig(provider=...)``; crewai's config takes its own providers and their subclasses.

    The ``location`` of a config names an entry, ``checkpoint/{location}/{branch}``, not a file. A checkpoint's own
    location, which events tell, is ``{key}@{version}``; ``restore`` takes it. Takes an opened store or a
    ``SharedContext``, or ``path=`` / ``url=``.
    """

    _opening: Opening = PrivateAttr()
    _context: SharedContext = PrivateAttr()

    def __init__(
        self,
        store: Store | SharedContext | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        url: str | None = None,
        session: str | None = None,
    ) -> None:
        super().__init__()
        self._opening = Opening(store, path=path, url=url)
        self._context = self._opening.context(session)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """A copied crew keeps its store."""
        return self

    def checkpoint(self, data: str, location: str, *, parent_id: str | None = None, branch: str = "main") -> str:
        """Write a snapshot as the next version and return its location; raises ``InvalidValue`` for no text."""
        check_words("the snapshot", data)
        entry = self._context.put(_key(location, branch), data)
        return f"{entry.key}@{entry.version}"

    async def acheckpoint(self, data: str, location: str, *, parent_id: str | None = None, branch: str = "main") -> str:
        """``checkpoint``, off the event loop."""

        def write() -> str:
            return self.checkpoint(data, location, parent_id=parent_id, branch=branch)

        return await self._context.store.driver.leave_loop(write)

    def prune(self, location: str, max_keep: int, *, branch: str = "main") -> int:
        """Forget old checkpoints of a branch but at least ``max_keep`` and what these build on; returns how many.

        Raises ``InvalidValue`` for no whole number from 0 up.
        """
        check_number("max_keep", max_keep)
        key = _key(location, branch)
        if max_keep < 1:
            return self._context.erase(key) if self._context.history(key, limit=1) else 0
        return self._context.trim(key, max_keep)

    def extract_id(self, location: str) -> str:
        """Return what names the checkpoint: its location."""
        return location

    def from_checkpoint(self, location: str) -> str:
        """Return a snapshot; raises ``KeyNotFound`` when it is gone, ``ConfigError`` for no location of ours."""
        key, at, version = check_words("the location", location).rpartition("@")
        if not key.startswith(f"{_ROOT}/") or not at or not _NUMBER.fullmatch(version):
            raise ConfigError(f"{location!r} is no checkpoint of this store: pass what checkpoint() returned")
        data = self._context.get(key, full=True, version=int(version))
        if data is None:
            raise KeyNotFound(f"there is no checkpoint {location!r}: it was pruned, or lies in another store")
        return str(data)

    async def afrom_checkpoint(self, location: str) -> str:
        """``from_checkpoint``, off the event loop."""
        return await self._context.store.driver.leave_loop(self.from_checkpoint, location)

    def locations(self, location: str, *, branch: str = "main") -> list[str]:
        """Return the locations of a branch's checkpoints, newest first."""
        key = _key(location, branch)
        return [f"{key}@{entry.version}" for entry in self._context.history(key, limit=10**6) if entry.kind == "text"]

    def restore(self, kind: Restorable[T], location: str) -> T:
        """Return the crew, flow or agent of a checkpoint: ``provider.restore(Crew, location)``.

        crewai restores from files alone; it is given one for the time that this takes.
        """
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "checkpoint.json"
            file.write_text(self.from_checkpoint(location), encoding="utf-8")
            return kind.from_checkpoint(CheckpointConfig(restore_from=file))


def _key(location: str, branch: str) -> str:
    return f"{_ROOT}/{segment(location, 'the location')}/{segment(branch, 'the branch')}"
