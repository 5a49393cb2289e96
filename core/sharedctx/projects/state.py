"""The state of a project: its top-level keys, each as canonical JSON, so that a change costs what it changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from ..errors import InvalidValue
from ..lazy import lazy
from ..views.plain import as_text

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True).encode


def parse_json(data: bytes | str, what: str) -> Any:
    """Return what JSON text says; raises ``InvalidValue`` for what is no JSON, or says a name twice, or NaN."""
    try:
        return _decode(data if isinstance(data, str) else data.decode())
    except RecursionError:
        raise InvalidValue(f"{what} is nested too deeply: flatten it, or send it as text") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise InvalidValue(f"{what} is not JSON: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r:.80} stands twice in one object")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


_decode = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant).decode


def canonical(value: Any, what: str) -> bytes:
    """Return canonical JSON: sorted keys, no spaces, UTF-8; raises ``InvalidValue`` for what has none."""
    try:
        return _encode(value).encode()
    except UnicodeEncodeError:
        raise InvalidValue(f"{what} has a lone surrogate, which is no text: repair it first") from None
    except RecursionError:
        raise InvalidValue(f"{what} is nested too deeply: flatten it, or send it as text") from None
    except (TypeError, ValueError) as error:
        raise InvalidValue(f"{what} is not JSON: {error}") from None


def pair(name: str, value: Any) -> bytes:
    """Return ``"name":value`` as canonical JSON; raises ``InvalidValue``."""
    if not isinstance(name, str):
        raise InvalidValue(f"the name {name!r:.80} of the context is not text")
    return b"%b:%b" % (quoted(name), canonical(value, f"{name!r:.80} of the context"))


Pair = Callable[[str, Any], bytes]
"""Makes canonical JSON of a top-level name and its value, as ``pair`` does."""


@lru_cache(4096)
def quoted(name: str) -> bytes:
    """A name as JSON; raises ``InvalidValue``."""
    return canonical(name, "a name of the context")


def joined(pairs: Mapping[str, bytes]) -> bytes:
    """Return the object of these pairs, in order of their names."""
    return b"{%b}" % b",".join([pairs[name] for name in sorted(pairs)])


class State:
    """A project's context at one version: ``pairs`` has ``"name":value`` of each top-level key as canonical JSON."""

    def __init__(self, pairs: dict[str, bytes]) -> None:
        self.pairs = pairs

    @staticmethod
    def of(context: Any, pair: Pair = pair) -> State:
        """Return the state of a context, its pairs made by ``pair``; raises ``InvalidValue`` for what is no object."""
        if not isinstance(context, Mapping):
            raise InvalidValue(f"a context is a JSON object, not {type(context).__name__}: put the value under a name")
        return State({name: pair(name, value) for name, value in context.items()})

    @staticmethod
    def read(value: Any) -> State:
        """Return the state of what the entry holds, whoever wrote it: what is no object stands under ``value``."""
        if isinstance(value, Mapping):
            return State.of(value)
        return State.of({"value": as_text(value) if isinstance(value, bytes) else value})

    @lazy
    def encoded(self) -> bytes:
        """The context as canonical JSON."""
        return joined(self.pairs)

    @lazy
    def digest(self) -> bytes:
        """The sha256 of the context as canonical JSON."""
        return hashlib.sha256(self.encoded).digest()

    @property
    def hash(self) -> str:
        """The same in hexadecimal."""
        return self.digest.hex()

    @lazy
    def characters(self) -> int:
        """The length of the context as canonical JSON text."""
        return characters(self.encoded)

    def value(self, name: str) -> bytes:
        """Return the JSON of one top-level key; raises ``KeyError``."""
        return self.pairs[name][len(quoted(name)) + 1 :]

    def context(self) -> dict[str, Any]:
        """Return the context as JSON values."""
        found: dict[str, Any] = json.loads(self.encoded)
        return found


def characters(data: bytes) -> int:
    """The number of characters of UTF-8 text."""
    return len(data) if data.isascii() else len(data.decode())


EMPTY = State({})
"""The state of no project, and of a removed one."""
