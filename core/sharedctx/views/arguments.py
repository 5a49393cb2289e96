"""What callers give beside the content, checked before anything is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import InvalidValue
from .plain import LEAST_TOKENS


def check_tokens(max_tokens: object, why: str) -> None:
    """Raise ``InvalidValue`` for a budget that is no whole number from 50 up; None is no budget."""
    if max_tokens is None:
        return
    if type(max_tokens) is not int:
        raise InvalidValue(f"max_tokens {max_tokens!r} is no whole number")
    if max_tokens < LEAST_TOKENS:
        raise InvalidValue(f"max_tokens {max_tokens} is below {LEAST_TOKENS}: {why}")


def check_place(key: object, version: object) -> None:
    """Raise ``InvalidValue`` for a key that is no text, or a version that is no number from 1 up; None is none."""
    if key is not None and not isinstance(key, str):
        raise InvalidValue(f"key {key!r} is no text")
    if version is not None and (type(version) is not int or version < 1):
        raise InvalidValue(f"version {version!r} is no version: they are whole numbers from 1")


def check_query(query: object) -> None:
    """Raise ``InvalidValue`` for a query that is no text; None is none."""
    if query is not None and not isinstance(query, str):
        raise InvalidValue(f"query {query!r} is no text")


def check_kind(kind: object, known: Iterable[str]) -> None:
    """Raise ``InvalidValue`` for a kind that is not one of those known; None is whatever is found."""
    if kind is not None and (not isinstance(kind, str) or kind not in known):
        raise InvalidValue(f"kind {kind!r} is none of {', '.join(sorted(known))}")


def check_compressors(compressors: Any, names: Iterable[str]) -> Mapping[str, Callable[[str], str]]:
    """Return the compressors by kind, none for None. Raises ``InvalidValue`` for what is no mapping from a kind's
    name to a function."""
    known = set(names)
    if compressors is None:
        return {}
    if not isinstance(compressors, Mapping):
        raise InvalidValue(f"compressors {compressors!r} is no mapping from a kind's name to a function")
    for name, strategy in compressors.items():
        if name not in known or not callable(strategy):
            raise InvalidValue(
                f"compressors[{name!r}] is for no kind, or no function: give functions from text to text for any of "
                f"{', '.join(sorted(known))}"
            )
    return compressors
