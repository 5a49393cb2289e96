"""A local store that stands in while the server is away, and what brings the two into step again."""

from __future__ import annotations

import os
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from sharedctx import Store
from sharedctx.backends import steps
from sharedctx.backends.steps import Steps
from sharedctx.errors import BackendUnavailable, KeyNotFound, VersionConflict
from sharedctx.projects import Difference, Projects, ProjectSettings, State, Written, leanest
from sharedctx.projects.state import EMPTY, parse_json
from sharedctx.store import open as open_store
from sharedctx.tokens import counter
from sharedctx.versions.collection import Collection
from sharedctx.versions.log import Version

from ..background import mark

_ALL = ProjectSettings(max_projects=10**6, keep_versions=10**9, ttl=None)


class Base(NamedTuple):
    """The server's version that the local one came from: both numbers."""

    server: int
    local: int


class Fallback:
    """The project in a store of this machine: a copy of the server's, or the very store that the server serves.

    In a copy, what is written while the server is away counts from the ``Base`` on.
    """

    def __init__(self, path: str | os.PathLike[str], project: str, agent: str, session: str) -> None:
        self.store: Store = open_store(path)
        self.mark = mark(self.store)
        self._project = project
        self._agent = agent
        self._projects = Projects(self.store.session(session), _ALL)
        self._space = f"followed:{session}"
        self._rows = Collection(self._space, "projects")
        self.shared = False
        """Whether the server serves this very store, as far as is known."""

    async def read(self, version: int | None = None) -> tuple[Version, State]:
        """Return the newest state, or of the server's own store an older one; raises ``KeyNotFound``."""
        if version is not None and not self.shared:
            raise BackendUnavailable("older versions are the server's, which is away: try again when it is back")
        return await self.store.driver.run(self._read(version))

    def _read(self, version: int | None) -> Steps[tuple[Version, State]]:
        if version is None:
            found = yield from self._projects.live(self._project)
        else:
            found = yield from self._projects.at(self._project, version)
        return found, (yield from self._projects.state(found))

    async def write(self, what: Difference | State, expected: int | None, request: str) -> Written:
        """Apply a difference here, or write a whole state; of one that the server did already it is known by its name.

        Raises ``VersionConflict`` where ``expected`` is not the version that is known here.
        """
        return await self.store.driver.run(self._write(what, expected, request))

    def _write(self, what: Difference | State, expected: int | None, request: str) -> Steps[Written]:
        row: Any = None if self.shared else (yield from self._rows.get(self._project))
        if row is not None and expected is not None:  # here versions have other numbers
            if expected != row["server"]:
                raise VersionConflict(
                    f"the copy of {self._project!r} is of version {row['server']}, and {expected} was expected: "
                    f"read it again, merge, and write with {row['server']}",
                    expected=expected,
                    actual=row["server"],
                )
            expected = None
        if isinstance(what, State):
            return (yield from self._projects.put(None, self._project, what, self._agent, expected, request))
        return (yield from self._projects.change(None, self._project, what, self._agent, expected, request))

    async def mirror(self, server: int, state: State) -> None:
        """Keep what the server has."""
        await self.store.driver.run(self._mirror(server, state))

    def _mirror(self, server: int, state: State) -> Steps[None]:
        head = yield from self._projects.newest(self._project)
        held = yield from self._projects.state(head)
        if head is None or not head.blob.live or held.digest != state.digest:
            head = (yield from self._projects.put(None, self._project, state, self._agent)).version
        row = {"server": server, "local": head.number}
        yield from steps.commit(self._space, (self._rows.put(self._project, row),))

    async def pending(self) -> tuple[Base, State, State] | None:
        """Return what was written here and not there: the base, its state, and the newest; None where nothing was."""
        return await self.store.driver.run(self._pending())

    def _pending(self) -> Steps[tuple[Base, State, State] | None]:
        row: Any = yield from self._rows.get(self._project)
        base = Base(0, 0) if row is None else Base(row["server"], row["local"])
        try:
            head = yield from self._projects.live(self._project)
        except KeyNotFound:
            return None
        if head.number <= base.local:
            return None
        before = EMPTY
        if base.local:
            before = yield from self._projects.state((yield from self._projects.at(self._project, base.local)))
        after = yield from self._projects.state(head)
        return None if before.digest == after.digest else (base, before, after)

    async def optimized(self, max_tokens: int, path: str) -> dict[str, Any]:
        """Return a snapshot, or a window where that does not fit."""
        version, state = await self.read()
        number = version.number if self.shared else None

        def locate(name: str | None) -> str:
            query = {} if name is None else {"name": name}
            more = {} if number is None else {"version": str(number)}
            return f"{path}{'' if name is None else '/value'}?{urlencode({**query, **more})}"

        best = leanest(state, version.number, max_tokens, locate, counter())
        return {
            "version": number,
            "hash": state.hash,
            "kind": best.kind,
            "tokens": best.tokens,
            "totalTokens": best.whole_tokens,
            "content": parse_json(best.content, "the content"),
            "text": best.content.decode(),
        }

    async def fetch(self, location: str) -> Any:
        """Return what a location leads to; raises ``KeyNotFound``."""
        query = dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))
        _, state = await self.read(int(query["version"]) if query.get("version", "").isdecimal() else None)
        context, name = state.context(), query.get("name")
        if name is None:
            return context
        if name not in context:
            raise KeyNotFound(f"{self._project!r} has no name {name!r:.80}")
        return context[name]

    def close(self) -> None:
        """Give the store back."""
        self.store.close()


def rebased(before: State, ours: State, theirs: State) -> tuple[Difference, list[str]]:
    """Return what brings ``ours``, which came from ``before``, into ``theirs``, and the names both changed otherwise.

    Of those ours is taken; theirs stays in the history.
    """
    mine = Difference.between(before, ours)
    changed = {*mine.added, *mine.modified, *mine.removed}
    both = sorted(
        name
        for name in changed
        if theirs.pairs.get(name) != before.pairs.get(name) and theirs.pairs.get(name) != ours.pairs.get(name)
    )
    wanted = dict(theirs.pairs)
    for name in changed:
        if name in ours.pairs:
            wanted[name] = ours.pairs[name]
        else:
            wanted.pop(name, None)
    return Difference.between(theirs, State(wanted)), both
