"""Routes of entries: the list, one with its view beside the original, what a view left out, history, differences."""

from __future__ import annotations

import base64
from typing import Any

from sharedctx.backends import steps
from sharedctx.backends.steps import Steps
from sharedctx.entries.names import RESERVED, check_key
from sharedctx.errors import DecodeError, KeyNotFound
from sharedctx.views.plain import as_text

from ..calls import Call, Refusal
from ..replies import Reply, json_reply
from ..service import Service
from .reading import Reading, Readings, guarded, limit_of, require_key

_SHOWN = 1 << 20
_PLAIN = (b"content-type", b"text/plain; charset=utf-8")
_BYTES = (b"content-type", b"application/octet-stream")


class Entries:
    """The routes /api/entries, /api/entry, /api/original, /api/expand, /api/history and /api/diff."""

    def __init__(self, service: Service, readings: Readings) -> None:
        self._service = service
        self._readings = readings

    async def _read(self, reading: Reading, work: Steps[Any]) -> Any:
        """Drive steps off the event loop: views and large values take long."""
        return await self._service.store.driver.leave_loop(reading.context.run, work)

    async def sessions(self, call: Call) -> Reply:
        """Return the sessions that can be named by ``session=``."""
        return json_reply({"session": self._service.settings.session, "sessions": await self._readings.sessions(call)})

    async def entries(self, call: Call) -> Reply:
        """Return the live entries by key: ``prefix=``, ``after=`` a key, ``limit=``, ``tokens=false``."""
        reading = await self._readings.of(call)
        prefix, after = call.query.get("prefix", ""), call.query.get("after", "")
        limit, tokens = limit_of(call, 100), call.query.get("tokens") != "false"
        return json_reply(await self._read(reading, _listed(reading, prefix, after, limit, tokens)))

    async def entry(self, call: Call) -> Reply:
        """Return an entry with its view (``max_tokens=``, ``query=``) and its original, the first MiB of it."""
        reading, key, number = await self._readings.of(call), require_key(call), call.number("version")
        tokens, query = call.number("max_tokens"), call.query.get("query") or None
        return json_reply(await self._read(reading, _shown(reading, key, number, tokens, query)))

    async def original(self, call: Call) -> Reply:
        """Return the original alone and whole, as a file."""
        reading, key, number = await self._readings.of(call), require_key(call), call.number("version")
        version, value = await self._read(reading, _value(reading, key, number))
        data = value if isinstance(value, bytes) else as_text(value).encode("utf-8", "replace")
        headers = ((b"content-disposition", b"attachment"), (b"etag", b'"%d"' % version))
        return Reply(200, data, headers, _BYTES if isinstance(value, bytes) else _PLAIN)

    async def expand(self, call: Call) -> Reply:
        """Return what a view left out: ``ref=`` as its markers spell it."""
        reading, key = await self._readings.of(call), require_key(call)
        ref, tokens = call.query.get("ref", "all"), call.number("max_tokens")

        def steps_of() -> Steps[str]:
            yield from guarded(reading, key)
            return (yield from reading.context.verbs.expand(None, key, ref, tokens))

        return json_reply({"key": key, "ref": ref, "text": await self._read(reading, steps_of())})

    async def history(self, call: Call) -> Reply:
        """Return an entry's versions, newest first: ``limit=``, ``before=`` a version."""
        reading, key = await self._readings.of(call), require_key(call)
        limit, before = limit_of(call, 100), call.number("before")

        def steps_of() -> Steps[list[dict[str, Any]]]:
            found = yield from reading.context.verbs.history(reading.participant, key, limit, before)
            if not found and before is None:
                raise KeyNotFound(f"there is nothing under {key!r}, and never was: /api/entries lists what there is")
            return [entry.to_dict(tokens=False) for entry in found]

        return json_reply({"key": key, "versions": await self._read(reading, steps_of())})

    async def diff(self, call: Call) -> Reply:
        """Return what changed between two versions: an RFC 6902 patch for JSON, else a unified diff."""
        reading, key = await self._readings.of(call), require_key(call)
        a, b = call.number("from"), call.number("to")
        if a is None or b is None:
            raise Refusal(400, "say which versions: ?from= and ?to=")

        def steps_of(a: int, b: int) -> Steps[Any]:
            yield from guarded(reading, key)
            return (yield from reading.context.verbs.diff(None, key, a, b))

        changes = await self._read(reading, steps_of(a, b))
        form = "text" if isinstance(changes, str) else "patch"
        return json_reply({"key": key, "from": a, "to": b, "format": form, "changes": changes})


def _listed(reading: Reading, prefix: str, after: str, limit: int, tokens: bool) -> Steps[dict[str, Any]]:
    verbs = reading.context.verbs
    rev = yield from verbs.rev()
    keys = [key for key in (yield from verbs.keys(reading.participant, prefix)) if key > after]
    found = []
    for key in keys[:limit]:
        try:
            entry = yield from verbs.get_entry(None, key, None)
            if entry is not None:
                found.append(entry.to_dict(tokens=tokens))
        except DecodeError as error:
            found.append({"key": key, "kind": "damaged", "note": error.message})
    more = keys[limit - 1] if len(keys) > limit else None
    return {"session": reading.context.session, "rev": rev, "entries": found, "total": len(keys), "after": more}


def _value(reading: Reading, key: str, number: int | None) -> Steps[tuple[int, Any]]:
    yield from guarded(reading, check_key(key))
    entry = yield from reading.context.verbs.get_entry(None, key, number)
    if entry is None or entry.kind == "gone":
        which = f"no version {number} of" if number is not None else "nothing live under"
        raise KeyNotFound(f"there is {which} {key!r}: /api/history tells its versions")
    return entry.version, (yield from reading.context.verbs.value(None, key, entry.version))


def _shown(
    reading: Reading, key: str, number: int | None, max_tokens: int | None, query: str | None
) -> Steps[dict[str, Any]]:
    version, value = yield from _value(reading, key, number)
    entry = yield from reading.context.verbs.get_entry(None, key, version)
    shown = yield from reading.context.verbs.show(None, key, version, max_tokens, query)
    assert entry is not None
    found = entry.to_dict() | {"view": shown.text if shown is not None else "", "view_tokens": shown and shown.tokens}
    if isinstance(value, bytes):
        cut = value[:_SHOWN]
        return found | {"original": base64.b64encode(cut).decode(), "original_cut": len(value) > _SHOWN}
    text = as_text(value)
    return found | {"original": text[:_SHOWN], "original_cut": len(text) > _SHOWN}


def live_entries(reading: Reading) -> Steps[dict[str, Any]]:
    """Return the revision and what is live at it, in few words: where who follows a session starts anew."""
    verbs = reading.context.verbs
    rev = yield from steps.rev(verbs.space)
    found = []
    for key in (yield from verbs.keys(reading.participant, "")):
        try:
            entry = yield from verbs.get_entry(None, key, None)
        except DecodeError:
            continue
        if entry is not None and not key.startswith(RESERVED):
            found.append({"key": key, "version": entry.version, "agent": entry.agent, "timestamp": entry.timestamp})
    return {"type": "snapshot", "rev": rev, "entries": found}
