"""Entries as resources: listed, read as views or whole, and completed."""

from __future__ import annotations

import base64
from bisect import bisect_right
from datetime import UTC, datetime
from typing import Any

from sharedctx.aio import AsyncSharedContext
from sharedctx.context import SharedContext
from sharedctx.entries.values import canonical
from sharedctx.entry import ContextEntry
from sharedctx.errors import DecodeError, InvalidValue, KeyNotFound
from sharedctx.tools import TOOLS

from .addresses import SCHEME, Address

_TEXT = "text/plain"
_COMPLETED = 100


class Resources:
    """The entries of one context, as far as its participant may read them."""

    def __init__(self, context: AsyncSharedContext, page: int) -> None:
        self._context = context
        self._session = context.sync.session
        self._page = page

    async def listed(self, cursor: str | None) -> dict[str, Any]:
        """Return a page of the list; the first begins with the list itself. Raises ``InvalidValue`` for a cursor."""
        after = None if cursor is None else _key_of(cursor)
        return await self._context.sync.store.driver.leave_loop(self._listed, self._context.sync, after)

    def _listed(self, context: SharedContext, after: str | None) -> dict[str, Any]:
        keys = context.keys()
        if after is not None:
            keys = keys[bisect_right(keys, after) :]
        found = [] if after is not None else [self._root()]
        for key in keys[: self._page]:
            try:
                entry = context.get_entry(key)
            except DecodeError as error:
                found.append({"uri": Address(self._session, key).uri, "name": key, "description": error.message})
                continue
            if entry is not None:
                found.append(_described(self._session, entry))
        more = {"nextCursor": _cursor_of(keys[self._page - 1])} if len(keys) > self._page else {}
        return {"resources": found, **more}

    def _root(self) -> dict[str, Any]:
        return {
            "uri": Address(self._session).uri,
            "name": self._session,
            "title": f"What there is in {self._session}",
            "description": "The keys of the shared context with version, kind, size, time and writer.",
            "mimeType": _TEXT,
        }

    def templates(self) -> dict[str, Any]:
        """Return how entries are addressed."""
        base = f"{SCHEME}://{self._session}/{{key}}"
        made = [
            (base, "entry", "An entry", "Compressed; what is left out is marked with the expand call that gives it."),
            (f"{base}{{?version}}", "version", "A version of an entry", "An older version, compressed."),
            (f"{base}?full=true", "original", "An entry's exact value", "Text, JSON or bytes as they were stored."),
        ]
        return {
            "resourceTemplates": [
                {"uriTemplate": uri, "name": name, "title": title, "description": told}
                for uri, name, title, told in made
            ]
        }

    async def read(self, uri: str) -> dict[str, Any]:
        """Return the contents of a resource; raises ``InvalidKey``, ``KeyNotFound``, ``DecodeError``."""
        address = Address.read(uri)
        if address.session != self._session:
            raise KeyNotFound(f"this server has the session {self._session!r}, not {address.session!r:.140}")
        if address.key is None:
            answer = await TOOLS["list"].acall(self._context, {"limit": self._page})
            return {"contents": [{"uri": uri, "mimeType": _TEXT, "text": answer.text}]}
        entry = await self._context.get_entry(address.key, address.version)
        value: Any = None
        if entry is not None and address.full:
            value = await self._context.get(address.key, full=True, version=entry.version)
        elif entry is not None:
            value = await self._context.get(address.key, version=entry.version)
        if entry is None or (value is None and not address.full):
            which = "live value" if address.version is None else f"version {address.version}"
            raise KeyNotFound(f"there is no {which} under {address.key!r}: {Address(self._session).uri} lists the keys")
        about = {"key": entry.key, "version": entry.version, "agent": entry.agent, "hash": entry.hash}
        return {"contents": [{"uri": uri, "_meta": {"sharedctx": about}, **_content(value, entry, address.full)}]}

    async def completed(self, begun: str) -> dict[str, Any]:
        """Return the keys that a client may mean by what was typed so far."""
        keys = await self._context.keys(begun)
        if not keys:
            keys = await self._context.sync.store.driver.leave_loop(self._context.sync.nearest, begun)
        return {
            "completion": {"values": keys[:_COMPLETED], "total": len(keys), "hasMore": len(keys) > _COMPLETED},
        }


def _described(session: str, entry: ContextEntry) -> dict[str, Any]:
    by = f" by {entry.agent}" if entry.agent else ""
    changed = datetime.fromtimestamp(entry.timestamp, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "uri": Address(session, entry.key).uri,
        "name": entry.key,
        "description": f"v{entry.version} {entry.kind}{by}",
        "mimeType": _TEXT,
        "size": entry.size,
        "annotations": {"lastModified": changed},
    }


def _content(value: Any, entry: ContextEntry, full: bool) -> dict[str, Any]:
    if isinstance(value, bytes):
        return {"mimeType": "application/octet-stream", "blob": base64.b64encode(value).decode()}
    if not full or isinstance(value, str):
        return {"mimeType": _TEXT, "text": value.encode("utf-8", "replace").decode()}
    return {"mimeType": "application/json", "text": canonical(value).decode()}


def _cursor_of(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _key_of(cursor: str) -> str:
    try:
        return base64.b64decode(cursor.encode("ascii"), b"-_", validate=True).decode()
    except ValueError:
        raise InvalidValue(f"the cursor {cursor!r:.80} is none of this server: list from the beginning") from None
