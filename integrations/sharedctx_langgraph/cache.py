"""``ContextCache``: results of nodes, kept in a store for all processes."""

from __future__ import annotations

import json
import logging
import os
import struct
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sharedctx import SharedContext, Store
from sharedctx.backends import steps
from sharedctx.backends.base import Put
from sharedctx.backends.steps import Steps, run
from sharedctx.entries.names import check_session
from sharedctx.errors import DecodeError, InvalidKey, InvalidValue
from sharedctx.extras import extra
from sharedctx.opening import Openable, Opening
from sharedctx.versions.collection import seal, unseal
from sharedctx.versions.delta import deflate, inflate

from .saver.places import check_text
from .serializers import check_serde

with extra("langgraph", "ContextCache"):
    from langgraph.cache.base import BaseCache, FullKey, Namespace

T = TypeVar("T")

_KIND = "cache:"
_HEAD = struct.Struct(">BI")
_COMPRESS_FROM = 512
_COMMIT_BYTES = 2 * 2**20
_COMMIT_ROWS = 40
_SWEEP_EVERY = 256
_log = logging.getLogger("sharedctx.langgraph")


class ContextCache(Openable, BaseCache[Any]):
    """Keeps what nodes returned, for ``compile(cache=ContextCache(path=...))``; sync and async methods in one object.

    ``given`` is an opened store or a context, else ``path`` or ``url`` name one that this object opens and closes.
    Caches of one ``name`` in a store are one; they lie in a space of their own, out of the way of sessions. ``serde``
    is LangGraph's serializer; one that pickles is refused. Times to live are seconds, those of LangGraph's
    ``CachePolicy``. A result that is damaged or was written by another serializer is logged and counts as a miss. A
    context manager for ``with`` and ``async with``.

    Raises ``ConfigError``; ``set`` raises ``InvalidValue`` for what would have to be pickled, ``ValueTooLarge``,
    ``DiskFull``.
    """

    def __init__(
        self,
        given: Store | SharedContext | None = None,
        name: str = "nodes",
        *,
        path: str | os.PathLike[str] | None = None,
        url: str | None = None,
        durable: bool = False,
        serde: Any = None,
    ) -> None:
        super().__init__(serde=check_serde(serde))
        self._space = _KIND + check_session(name, "cache's name")
        self._opening = Opening(given, path=path, url=url, durable=durable)
        self._store = self._opening.store
        self._sets = 0

    @classmethod
    def from_conn_string(cls, conn_string: str, **options: Any) -> ContextCache:
        """Open by path or URL, ``":memory:"`` for a store of this object's own."""
        return cls(url="memory://" if conn_string == ":memory:" else conn_string, **options)

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, Any]:
        """Return what is kept under these keys and has not expired."""
        return self._run(self._get(keys))

    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, Any]:
        """``get`` for coroutines."""
        return await self._arun(self._get(keys))

    def set(self, pairs: Mapping[FullKey, tuple[Any, int | None]]) -> None:
        """Keep values, each with its seconds to live (None: for ever)."""
        self._run(self._set(pairs))

    async def aset(self, pairs: Mapping[FullKey, tuple[Any, int | None]]) -> None:
        """``set`` for coroutines."""
        await self._arun(self._set(pairs))

    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Remove what is kept under these namespaces, everything without any."""
        self._run(self._clear(namespaces))

    async def aclear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """``clear`` for coroutines."""
        await self._arun(self._clear(namespaces))

    def sweep(self) -> int:
        """Remove what has expired and return how much; ``set`` does so now and then."""
        return self._run(self._sweep())

    def _run(self, steps: Steps[T]) -> T:
        self._store.check_open()
        return run(self._store.backend, steps)

    async def _arun(self, steps: Steps[T]) -> T:
        self._store.check_open()
        return await self._store.driver.run(steps)

    def _get(self, keys: Sequence[FullKey]) -> Steps[dict[FullKey, Any]]:
        found: dict[FullKey, Any] = {}
        for namespace, key in _full_keys(keys):
            pk = _partition(namespace)
            rows = yield from steps.scan(self._space, pk, key, f"{key}\x00", limit=1)
            if not rows or (yield from steps.expired(rows[0].expires)):
                continue
            try:
                found[tuple(namespace), key] = self.serde.loads_typed(_unpack(unseal(self._space, rows[0])))
            except DecodeError as error:
                _log.warning("a result is not used: %s", error)
            except Exception as error:
                _log.warning("the result %r of %r is not used: the serializer cannot read it (%s)", key, pk, error)
        return found

    def _set(self, pairs: Any) -> Steps[None]:
        now = yield from steps.now()
        puts: list[Put] = []
        size = 0
        if not isinstance(pairs, Mapping):
            raise InvalidValue(f"{pairs!r:.80} is no mapping: pass {{(namespace, key): (value, ttl)}}")
        for (namespace, key), pair in zip(_full_keys(pairs), pairs.values(), strict=True):
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise InvalidValue(f"the result {key!r} is no pair: pass (value, ttl), with the ttl None for ever")
            value, ttl = pair
            if ttl is not None and not (type(ttl) in (int, float) and abs(ttl) <= sys.float_info.max):
                raise InvalidValue(f"the ttl {ttl!r:.80} of the result {key!r} is no number of seconds")
            try:
                kind, data = self.serde.dumps_typed(value)
            except (TypeError, ValueError) as error:
                raise InvalidValue(f"the result {key!r} cannot be kept, the serializer refuses it: {error}") from error
            if kind == "pickle":
                raise InvalidValue(f"the result {key!r} would have to be pickled: use a serializer without a fallback")
            pk = _partition(namespace)
            sealed = seal(self._space, pk, key, _pack(kind, data))
            put = Put(pk, sealed, key, None if ttl is None else now + ttl)
            if puts and (size + len(put.value) > _COMMIT_BYTES or len(puts) == _COMMIT_ROWS):
                yield from steps.commit(self._space, puts)
                puts, size = [], 0
            puts.append(put)
            size += len(put.value)
        if puts:
            yield from steps.commit(self._space, puts)
        self._sets += len(pairs)
        if self._sets >= _SWEEP_EVERY:
            self._sets = 0
            yield from self._sweep()

    def _clear(self, namespaces: Any) -> Steps[None]:
        if namespaces is None:
            yield from steps.reclaim(self._space)
        elif not isinstance(namespaces, Iterable) or isinstance(namespaces, str):
            raise InvalidKey(f"{namespaces!r:.80} are no namespaces: pass a list of tuples, or None for everything")
        for namespace in namespaces or ():
            yield from steps.reclaim(self._space, _partition(namespace))

    def _sweep(self) -> Steps[int]:
        return (yield from steps.reclaim(self._space, None, None, (yield from steps.now())))


def _full_keys(keys: Any) -> list[FullKey]:
    """Return keys that are pairs; raises ``InvalidKey`` naming one that is none."""
    given: list[Any] = list(keys) if isinstance(keys, Iterable) and not isinstance(keys, str) else [keys]
    for each in given:
        if not isinstance(each, tuple | list) or len(each) != 2:
            raise InvalidKey(f"the key {each!r:.80} is no pair of namespace and key: pass ((..., ...), ...)")
        check_text(each[1], "key")
    return given


def _partition(namespace: Sequence[str]) -> str:
    if not isinstance(namespace, list | tuple) or not all(isinstance(label, str) for label in namespace):
        raise InvalidKey(f"the namespace {namespace!r:.80} is no tuple of texts: pass (..., ...)")
    return json.dumps(list(namespace), ensure_ascii=True, separators=(",", ":"))


def _pack(kind: str, data: bytes) -> bytes:
    """Length of the type, size of the data if they are compressed (else 0), the type, the data."""
    name = kind.encode()
    if len(data) >= _COMPRESS_FROM and len(short := deflate(data)) < len(data):
        return b"".join((_HEAD.pack(len(name), len(data)), name, short))
    return b"".join((_HEAD.pack(len(name), 0), name, data))


def _unpack(payload: bytes) -> tuple[str, bytes]:
    try:
        length, size = _HEAD.unpack_from(payload)
        end = _HEAD.size + length
        kind, data = payload[_HEAD.size : end].decode(), payload[end:]
    except (struct.error, UnicodeDecodeError) as error:
        raise DecodeError(f"a cached result makes no sense: {error}") from error
    return kind, inflate(data, size) if size else data
