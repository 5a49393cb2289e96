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


class Filter:
    """Judges values; every key of ``wanted`` must fit: by equality, or by operators (``{"$gte": 3}``), of nested
    mappings and lists too. A key is a field's name, or its path with periods where there is no such field. What is
    missing is null; values of different types differ and have no order. Raises ``InvalidValue`` for an unknown
    operator."""

    def __init__(self, wanted: Any) -> None:
        if not isinstance(wanted, Mapping) or not all(isinstance(key, str) for key in wanted):
            raise InvalidValue(f"the filter {wanted!r:.80} is no mapping from fields' names")
        self._tests = [(key, _test(each)) for key, each in wanted.items()]

    def __call__(self, value: Mapping[str, Any]) -> bool:
        return all(fits(field(value, key)) for key, fits in self._tests)


Test = Callable[[Any], bool]


def _test(wanted: Any) -> Test:
    """Return what judges a value by what is wanted of it; made once for all values."""
    if isinstance(wanted, Mapping):
        if any(isinstance(key, str) and key.startswith("$") for key in dict(wanted)):
            judges = [_operator(name, operand) for name, operand in wanted.items()]
            return lambda value: all(judge(value) for judge in judges)
        fields = [(key, _test(each)) for key, each in wanted.items()]
        return lambda value: isinstance(value, dict) and all(fits(value.get(key)) for key, fits in fields)
    if isinstance(wanted, list | tuple):
        items = [_test(each) for each in wanted]
        return lambda value: (
            isinstance(value, list)
            and len(value) == len(items)
            and all(fits(each) for fits, each in zip(items, value, strict=True))
        )
    return _equal(wanted)


def _operator(name: str, operand: Any) -> Test:
    if name == "$eq":
        return _equal(operand)
    if name == "$ne":
        same = _equal(operand)
        return lambda value: not same(value)
    compare = _ORDER.get(name)
    if compare is None:
        known = ", ".join(("$eq", "$ne", *_ORDER))
        raise InvalidValue(f"the filter has {name!r} among its operators: use {known}")
    if isinstance(operand, str):
        return lambda value: isinstance(value, str) and compare(value, operand)
    if _number(operand):
        return lambda value: _number(value) and compare(value, operand)
    return lambda value: False


def _equal(wanted: Any) -> Test:
    """Equality as of JSON: 1 is 1.0 and not true; a tuple is a list."""
    if wanted is None or isinstance(wanted, bool):
        return lambda value: value is wanted
    if isinstance(wanted, int | float):
        return lambda value: value == wanted and not isinstance(value, bool)
    if isinstance(wanted, str):
        return lambda value: bool(value == wanted)
    return lambda value: _same(value, wanted)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(wanted, list | tuple):
        alike = isinstance(value, list) and len(value) == len(wanted)
        return alike and all(_same(one, other) for one, other in zip(value, wanted, strict=True))
    if isinstance(wanted, Mapping):
        alike = isinstance(value, dict) and value.keys() == wanted.keys()
        return alike and all(_same(value[key], wanted[key]) for key in wanted)
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
