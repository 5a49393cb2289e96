"""ContextClient: one agent's view of one project on a context server."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

from sharedctx.entries.arguments import check_number
from sharedctx.errors import BackendUnavailable, InvalidValue, VersionConflict
from sharedctx.projects import Difference, State, Written
from sharedctx.projects.state import canonical

from ..replies import iso
from .answers import Found, context_of, json_of
from .connection import Connection
from .replica import Change
from .requests import Away


class ContextClient(Connection):
    """Reads and writes a project as ``agent_id``, and hears of the writes of others; an async context manager.

    ``cache_timeout`` is seconds for which a read context counts as fresh where no stream keeps it so; ``max_retries``
    how often a request is repeated, ``retry_wait`` seconds before the first repetition, doubled each time; ``ping``
    seconds of silence after which the stream is tried. ``autostart`` starts a server in the background where none
    answers, of the store at ``fallback``, else the default one. ``fallback`` is the path of a store that stands in
    while the server is away: the server's own, or a copy whose changes are brought to the server when it is back (of
    names that both sides changed the copy's win, and ``conflict`` tells); for ``get_changes_since``, ``rollback`` and
    ``delete_context`` it does not. ``token`` is by default ``SHAREDCTX_TOKEN``.

    Methods raise subclasses of ``SharedContextError``: ``KeyNotFound``, ``VersionConflict``, ``Forbidden``,
    ``InvalidValue``, ``ValueTooLarge``, ``BackendUnavailable`` while the server is away and nothing stands in.
    """

    @property
    def _fresh(self) -> bool:
        replica = self._following.replica
        if replica.version is None or replica.gone or replica.gap or self._link.away:
            return False
        return self.is_connected() or time.monotonic() - self._fresh_at < self._cache_timeout

    def _held(self) -> Found:
        replica = self._following.replica
        return context_of(self.project_id, replica.version, replica.timestamp, replica.state)

    async def get_context(self, version: int | None = None, since: int | None = None, use_cache: bool = True) -> Found:
        """Return ``{projectId, version, timestamp, context, hash}``, as of a version, or what changed ``since`` one."""
        self._start()
        if since is not None:
            if version is not None:
                raise InvalidValue("a version, or what changed since one: not both")
            return await self.get_changes_since(since)
        if version is not None:
            try:
                return json_of(await self._link.ask("GET", self._link.path, params={"version": version}))
            except Away:
                return await self._local(version)
        if use_cache and self._fresh:
            return await self._hit()
        replica = self._following.replica
        known = replica.version if not replica.gone else None
        headers = {} if known is None or self._link.away else {"if-none-match": f'"{known}"'}
        try:
            reply = await self._link.ask("GET", self._link.path, headers=headers)
        except Away:
            return await self._local(None)
        if reply.status_code == 304 and replica.version == known:
            self._fresh_at = time.monotonic()
            return await self._hit()
        if reply.status_code == 304:  # another version was heard of meanwhile
            return self._held()
        found = json_of(reply)
        self._counts["received"] += 1
        await self._following.snapshot(found["version"], State.of(found["context"]), found["timestamp"])
        self._fresh_at = time.monotonic()
        await self._following.tell("context_received", **found)
        return found

    async def _hit(self) -> Found:
        self._counts["cacheHits"] += 1
        found = self._held()
        await self._following.tell("cache_hit", projectId=self.project_id, version=found["version"])
        return found

    async def _local(self, version: int | None) -> Found:
        """What the fallback has while the server is away."""
        fallback = await self._link.stand_in()
        if fallback is None:
            raise BackendUnavailable(
                f"{self._link.requests.url} does not answer, and nothing stands in: give fallback="
            )
        found, state = await fallback.read(version)
        number = found.number if fallback.shared else self._following.replica.version
        return {**context_of(self.project_id, number, iso(found.blob.timestamp), state), "offline": True}

    async def get_changes_since(self, version: int, format: str = "diff") -> Found:
        """Return ``{projectId, fromVersion, currentVersion, changes}``; with ``format="patch"`` as RFC 6902."""
        return await self._by_server("GET", self._link.path, params={"since": version, "format": format})

    async def _by_server(self, method: str, path: str, **options: Any) -> Found:
        """Return the reply to what nothing stands in for."""
        try:
            return json_of(await self._link.ask(method, path, **options))
        except Away:
            if self._link.fallback is None:
                raise
            raise BackendUnavailable(
                f"{self._link.requests.url} is away, and the copy here does not stand in for that: try again later"
            ) from None

    async def update_context(self, diff: Mapping[str, Any], expected_version: int | None = None) -> Found:
        """Apply ``{added, modified, removed}`` and return ``{projectId, version, hash, tokensSaved, subscribers}``."""
        if not isinstance(diff, Mapping):
            raise InvalidValue(f"a diff is {type(diff).__name__}: pass a dict of added, modified, removed")
        given = Difference.parse(dict(diff))
        sent = {**diff, **({} if expected_version is None else {"expectedVersion": expected_version})}
        found = await self._write("POST", "/diff", canonical(sent, "the diff"), given, expected_version)
        await self._following.tell("context_updated", **found)
        return found

    async def set_context(self, context: Mapping[str, Any], expected_version: int | None = None) -> Found:
        """Replace the whole context; returns ``{projectId, version, hash, optimized, isNew, size, optimizedSize}``."""
        state = State.of(context)
        more = b"" if expected_version is None else b',"expectedVersion":%b' % canonical(expected_version, "a version")
        body = b'{"context":%b%b}' % (state.encoded, more)
        found = await self._write("PUT", "", body, state, expected_version)
        if self._following.replica.version is None and "offline" not in found:
            await self._following.snapshot(found["version"], state, iso(time.time()))
        await self._following.tell("context_set", **found)
        return found

    async def rollback(self, version: int, expected_version: int | None = None) -> Found:
        """Write an old version again as the newest; returns what ``set_context`` does."""
        given = {"version": version, **({} if expected_version is None else {"expectedVersion": expected_version})}
        found = await self._by_server("POST", f"{self._link.path}/rollback", body=canonical(given, "the version"))
        self._following.replica.learn(found["version"])
        await self._following.fill()
        await self._following.tell("context_updated", **found)
        return found

    async def delete_context(self) -> Found:
        """Remove the project; its history stays and its versions go on."""
        found = await self._by_server("DELETE", self._link.path)
        if not self.is_connected():
            self._following.replica.forget()
            await self._following.tell("context_deleted", **found)
        return found

    async def _write(
        self, method: str, where: str, body: bytes, what: Difference | State, expected: int | None
    ) -> Found:
        if expected is not None:
            check_number("expected_version", expected)
        self._start()
        following, request = self._following, uuid.uuid4().hex
        change = None
        following.write()
        try:
            found = json_of(await self._link.ask(method, self._link.path + where, body=body, request=request))
            make = what.apply if isinstance(what, Difference) else lambda _: what
            change = Change(found["version"], make, found["hash"], iso(time.time()), None)
            self._counts["written"] += 1
        except Away:
            if (fallback := await self._link.stand_in()) is None:
                raise
            return self._written_here(await fallback.write(what, expected, request))
        except VersionConflict:
            self._fresh_at = float("-inf")
            raise
        finally:
            await following.written(change)
        return found

    def _written_here(self, written: Written) -> Found:
        shared = self._link.fallback is not None and self._link.fallback.shared
        version = written.version.number if shared else self._following.replica.version
        return {"projectId": self.project_id, "version": version, "hash": written.state.hash, "offline": True}

    async def fetch(self, location: str) -> Any:
        """Return what the ``location`` of a reference in a window leads to; raises ``InvalidValue`` for others."""
        starts = (f"{self._link.path}/value?", f"{self._link.path}?")
        if not str(location).startswith(starts):
            raise InvalidValue(f"{location!r:.200} is no location in the project {self.project_id!r}")
        try:
            found = json_of(await self._link.ask("GET", location))
        except Away:
            if (fallback := await self._link.stand_in()) is None:
                raise
            return await fallback.fetch(location)
        return found["value"] if "value" in found else found["context"]

    async def optimize_context(self, max_tokens: int) -> Found:
        """Return what brings a model up to date for the fewest tokens, and remember that it was shown.

        ``{projectId, version, hash, kind, tokens, totalTokens, content, text}``: ``kind`` is a snapshot, a diff against
        what was returned last, or a window where neither fits ``max_tokens``; ``text`` is ``content`` for the model.
        """
        given: Found = {"maxTokens": max_tokens}
        if self._shown is not None:
            version, windowed = self._shown
            given |= {"since": version, "windowed": "true" if windowed else None}
        try:
            found = json_of(await self._link.ask("GET", f"{self._link.path}/optimized", params=given))
        except Away:
            if (fallback := await self._link.stand_in()) is None:
                raise
            found = await fallback.optimized(max_tokens, self._link.path)
            return {"projectId": self.project_id, **found, "offline": True}
        windowed = found["kind"] == "window" or (found["kind"] == "diff" and given.get("windowed") is not None)
        self._shown = (found["version"], windowed)
        return {**found, "text": canonical(found["content"], "the content").decode()}

    @staticmethod
    def create_diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> Found:
        """Return ``{added, modified, removed, unchanged}``: what turns ``old`` into ``new``, by top-level names."""
        found: Found = json.loads(Difference.between(State.of(old), State.of(new)).encoded)
        return found

    @staticmethod
    def apply_diff(context: Mapping[str, Any], diff: Mapping[str, Any]) -> Found:
        """Return the context after a difference; raises ``InvalidValue`` where it does not fit."""
        return Difference.parse(dict(diff)).apply(State.of(context)).context()

    async def get_stats(self) -> Found:
        """Return the server's metrics, and under ``client`` this client's own figures."""
        own = {**self._counts, "requests": self._link.requests.attempts, "connected": self.is_connected()}
        return {**json_of(await self._link.ask("GET", "/metrics")), "client": own}

    async def clear_cache(self) -> None:
        """Forget what was read; a stream is asked for a snapshot."""
        self._fresh_at = float("-inf")
        await self._following.clear()
