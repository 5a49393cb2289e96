"""Filters of searches: equality and comparisons over an item's value, and conditions on namespaces."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sharedctx.errors import InvalidValue

from ..fields import field

if TYPE_CHECKING:
    from langgraph.store.base import MatchCondition

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}
_EQUAL = {"$eq": True, "$ne": False}


class Filter:
    """Judges values; every key of ``wanted`` must fit: by equality, or by operators (``{"$gte": 3}``), of nested
    mappings and lists too. A key is a field's name, or its path with periods where there is no such field. What is
    missing is null; values of different types differ and have no order. Raises ``InvalidValue`` for an unknown
    operator."""

    def __init__(self, wanted: Mapping[str, Any]) -> None:
        self._wanted = dict(wanted)
        for value in self._wanted.values():
            _check(value)

    def __call__(self, value: Mapping[str, Any]) -> bool:
        return all(_fits(field(value, key), wanted) for key, wanted in self._wanted.items())


def _check(wanted: Any) -> None:
    if isinstance(wanted, Mapping):
        operators = _operators(wanted)
        for key, value in wanted.items():
            if operators and key not in _ORDER and key not in _EQUAL:
                known = ", ".join((*_EQUAL, *_ORDER))
                raise InvalidValue(f"the filter has {key!r} among its operators: use {known}")
            _check(value)


def _operators(wanted: Mapping[Any, Any]) -> bool:
    return any(isinstance(key, str) and key.startswith("$") for key in wanted)


def _fits(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        if _operators(wanted):
            return all(_judge(value, name, operand) for name, operand in wanted.items())
        return isinstance(value, Mapping) and all(_fits(value.get(key), each) for key, each in wanted.items())
    if isinstance(wanted, list | tuple):
        if not isinstance(value, list | tuple) or len(value) != len(wanted):
            return False
        return all(_fits(one, other) for one, other in zip(value, wanted, strict=True))
    return _same(value, wanted)


def _judge(value: Any, name: str, operand: Any) -> bool:
    if name in _EQUAL:
        return _same(value, operand) is _EQUAL[name]
    numbers = _number(value) and _number(operand)
    return (numbers or (isinstance(value, str) and isinstance(operand, str))) and _ORDER[name](value, operand)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(value: Any, wanted: Any) -> bool:
    """Whether two values are equal as JSON: 1 is 1.0 and not true; a tuple is a list."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(wanted, list | tuple):
        return (
            isinstance(value, list | tuple)
            and len(value) == len(wanted)
            and all(_same(one, other) for one, other in zip(value, wanted, strict=True))
        )
    if isinstance(wanted, Mapping):
        return (
            isinstance(value, Mapping)
            and value.keys() == wanted.keys()
            and all(_same(value[key], wanted[key]) for key in wanted)
        )
    return bool(value == wanted)


def namespaces(
    found: Iterable[tuple[str, ...]], conditions: Sequence[MatchCondition] | None, max_depth: int | None
) -> list[tuple[str, ...]]:
    """Return the namespaces that fit all conditions, cut to ``max_depth`` labels, each once, in order. A ``*`` stands
    for one label. Raises ``InvalidValue`` for an unknown kind of condition."""
    for condition in conditions or ():
        if condition.match_type not in ("prefix", "suffix"):
            raise InvalidValue(f"the condition {condition.match_type!r} is neither 'prefix' nor 'suffix'")
    fitting = (each for each in found if all(_matches(each, condition) for condition in conditions or ()))
    return sorted({each if max_depth is None else each[:max_depth] for each in fitting})


def _matches(namespace: tuple[str, ...], condition: MatchCondition) -> bool:
    path = condition.path
    if len(namespace) < len(path):
        return False
    part = namespace[: len(path)] if condition.match_type == "prefix" else namespace[len(namespace) - len(path) :]
    return all(wanted in ("*", label) for label, wanted in zip(part, path, strict=True))
