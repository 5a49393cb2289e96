"""What is asked of a store, checked before anything is done: operations, and times to live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sharedctx.errors import ConfigError, InvalidKey, InvalidValue
from sharedctx.extras import extra

with extra("langgraph", "ContextStore"):
    from langgraph.store.base import GetOp, ListNamespacesOp, MatchCondition, PutOp, SearchOp

_MINUTES = ("default_ttl", "sweep_interval_minutes")
_LONGEST = 10**7
"""Minutes that a thread can wait, 19 years."""
_MOST = 1e12
"""Minutes that an item may have to live, beyond which moments cannot be told."""


def check(op: Any) -> None:
    """Raise ``InvalidKey`` or ``InvalidValue`` for an operation whose parts are not of their types."""
    kind = type(op)
    if kind is GetOp or kind is PutOp:
        _check_labels(op.namespace)
        if not isinstance(op.key, str):
            raise InvalidKey(f"the key {op.key!r:.80} in {tuple(op.namespace)!r} is no text: pass text")
    if kind is PutOp:
        value = op.value
        if value is not None and not isinstance(value, Mapping) and not hasattr(value, "__dict__"):
            raise InvalidValue(f"the value of {op.key!r} is no mapping but {type(value).__name__}: pass a dict")
        if op.ttl is not None and not (type(op.ttl) in (int, float) and 0 <= op.ttl <= _MOST):
            raise InvalidValue(f"the ttl {op.ttl!r:.80} of {op.key!r} is no number of minutes from 0 up")
        if isinstance(op.index, str):
            raise InvalidValue(
                f"index {op.index!r} of {op.key!r} is a text, whose letters would be paths: pass [{op.index!r}]"
            )
        if not (op.index is None or isinstance(op.index, bool)) and not _paths(op.index):
            raise InvalidValue(f"index {op.index!r:.80} of {op.key!r} is no list of paths: pass ['text'], or False")
    elif kind is SearchOp:
        _check_labels(op.namespace_prefix)
        _check_page(op)
        if op.query is not None and not isinstance(op.query, str):
            raise InvalidValue(f"the query {op.query!r:.80} is no text")
    elif kind is ListNamespacesOp:
        _check_page(op)
        conditions = op.match_conditions or ()
        if not isinstance(conditions, list | tuple) or not all(isinstance(one, MatchCondition) for one in conditions):
            raise InvalidValue(f"match_conditions {conditions!r:.80} is no tuple of MatchCondition")
        for condition in conditions:
            _check_labels(condition.path)
        if op.max_depth is not None and not _count(op.max_depth):
            raise InvalidValue(f"max_depth {op.max_depth!r:.80} is no whole number from 0 up")


def _check_labels(namespace: Any) -> None:
    if not isinstance(namespace, list | tuple):
        raise InvalidKey(f"the namespace {namespace!r} is no tuple of labels: pass ({namespace!r},)")


def _paths(index: Any) -> bool:
    return isinstance(index, list | tuple) and all(isinstance(path, str) for path in index)


def _check_page(op: Any) -> None:
    if not _count(op.limit) or not _count(op.offset):
        raise InvalidValue(f"limit {op.limit!r:.80} and offset {op.offset!r:.80} are not both whole numbers from 0 up")


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def check_ttl(config: Any) -> dict[str, Any] | None:
    """Return LangGraph's ``TTLConfig`` as a dict of its own; raises ``ConfigError`` naming what is no minutes."""
    if config is None:
        return None
    if not isinstance(config, Mapping):
        raise ConfigError(f"ttl {config!r:.80} is no TTLConfig: pass a dict, as {{'default_ttl': 60}}")
    for name in _MINUTES:
        minutes: Any = config.get(name)
        if minutes is not None:
            check_minutes(name, minutes, zero=name == "default_ttl")
    return dict(config)


def check_minutes(name: str, minutes: Any, *, zero: bool = False) -> None:
    """Raise ``ConfigError`` unless these are minutes above 0, or ``zero`` where that makes sense."""
    if type(minutes) not in (int, float) or not (0 < minutes <= _LONGEST or (minutes == 0 and zero)):
        raise ConfigError(f"{name} {minutes!r:.80} is no number of minutes above 0, to {_LONGEST}")
