"""ContextByteStore: LangChain's store of bytes by key, for embeddings and documents, over a session's entries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

from sharedctx.entries.names import check_key
from sharedctx.entries.values import canonical
from sharedctx.errors import InvalidValue, KeyNotFound
from sharedctx.extras import extra

from .kept import Kept

with extra("langchain", "ContextByteStore"):
    from langchain_core.stores import ByteStore

_AS_THEY_ARE = "/-_~ !#$&'()*+,:;=?@[]{}|^"


class ContextByteStore(Kept, ByteStore):
    """Bytes by key as entries of a session, versioned and shared by threads and processes.

    ``given`` is an opened ``Store`` or a ``SharedContext``, else ``path=`` or ``url=`` name the store; ``session``
    (default "default") is for all but a context. Entries lie under ``prefix``, odd characters of keys escaped, and
    other faces of the context read them as bytes. ``ttl`` is seconds to live. A key that is set again is a new version,
    a deleted one keeps its history. Raises ``ConfigError``; its methods ``SharedContextError``: nothing is written
    when one of several keys or values is not good.
    """

    SESSION = "default"
    PREFIX = "bytes/"

    def mget(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the bytes of each key in order, None where there are none."""
        return [_bytes(self._context.get(key, full=True)) for key in self._keys(keys)]

    async def amget(self, keys: Sequence[str]) -> list[bytes | None]:
        """The same for event loops."""
        found = [self._async.get(key, full=True) for key in self._keys(keys)]
        return [_bytes(value) for value in await asyncio.gather(*found)]

    def mset(self, key_value_pairs: Sequence[tuple[str, bytes]]) -> None:
        """Write each pair as the key's next version."""
        for key, value in self._checked(key_value_pairs):
            self._context.put(key, value, ttl=self._ttl)

    async def amset(self, key_value_pairs: Sequence[tuple[str, bytes]]) -> None:
        """The same for event loops; the pairs share transactions."""
        pairs = self._checked(key_value_pairs)
        await asyncio.gather(*(self._async.put(key, value, ttl=self._ttl) for key, value in pairs))

    def mdelete(self, keys: Sequence[str]) -> None:
        """Remove the values of the keys; those that are not there are no error."""
        for key in self._keys(keys):
            try:
                self._context.delete(key)
            except KeyNotFound:
                continue

    async def amdelete(self, keys: Sequence[str]) -> None:
        """The same for event loops."""
        gone = [self._async.delete(key) for key in dict.fromkeys(self._keys(keys))]
        for result in await asyncio.gather(*gone, return_exceptions=True):
            if isinstance(result, BaseException) and not isinstance(result, KeyNotFound):
                raise result

    def yield_keys(self, *, prefix: str | None = None) -> Iterator[str]:
        """Yield the keys that start with ``prefix``, in order of their spelling in the context."""
        yield from self._fitting(self._context.keys(self._narrowed(prefix)), prefix)

    async def ayield_keys(self, *, prefix: str | None = None) -> AsyncIterator[str]:
        """The same for event loops."""
        for key in self._fitting(await self._async.keys(self._narrowed(prefix)), prefix):
            yield key

    def _key(self, key: str) -> str:
        if not isinstance(key, str):
            raise InvalidValue(f"a key is text, not {type(key).__name__}: {key!r:.60}")
        return check_key(self._prefix + _escaped(key))

    def _checked(self, pairs: Sequence[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
        given = _several("key_value_pairs", pairs)
        if odd := [pair for pair in given if not isinstance(pair, tuple | list) or len(pair) != 2]:
            raise InvalidValue(f"{odd[0]!r:.60} is no pair of a key and its value: pass a list of such pairs")
        for key, value in given:
            if not isinstance(value, bytes | bytearray | memoryview):
                raise InvalidValue(f"the value for {key!r} is {type(value).__name__}: this store holds bytes")
        return [(self._key(key), bytes(value)) for key, value in given]

    def _keys(self, keys: Sequence[str]) -> list[str]:
        return [self._key(key) for key in _several("keys", keys)]

    def _narrowed(self, prefix: str | None) -> str:
        """What surely stands at the beginning of the keys that fit."""
        if prefix is not None and not isinstance(prefix, str):
            raise InvalidValue(f"a prefix is text, not {type(prefix).__name__}: {prefix!r:.60}")
        return self._prefix + _escaped((prefix or "").rstrip("."))

    def _fitting(self, keys: list[str], prefix: str | None) -> Iterator[str]:
        for key in keys:
            plain = unquote(key[len(self._prefix) :], errors="surrogatepass")
            if plain.startswith(prefix or ""):
                yield plain


def _several(name: str, given: Any) -> list[Any]:
    """A list of what was given; one text is no list of its letters."""
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise InvalidValue(f"{name} {given!r:.60} is {type(given).__name__}: pass a list, also of one")
    return list(given)


def _escaped(key: str) -> str:
    """The key as an entry may be called; no two are called the same."""
    return quote(key, safe=_AS_THEY_ARE, errors="surrogatepass").replace("..", "%2E%2E")


def _bytes(value: Any) -> bytes | None:
    """What was stored as bytes; text and JSON of other faces in UTF-8."""
    if value is None or isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else canonical(value)
