"""The formulas: what a plan may bring, what a success rate means, and what changed between before and after."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard

from .context import EvolutionContext, Found

WEIGHTS = {
    "add_docstrings": 0.3,
    "add_type_hints": 0.2,
    "reduce_complexity": 0.5,
    "fix_bug": 0.8,
    "optimize": 0.4,
    "refactor": 0.6,
}
OTHER_WEIGHT = 0.1
PRIORITIES = {"high": 1.5, "low": 0.7}
SUCCESS_FROM = 0.7
_LARGEST = sys.float_info.max


def estimated_impact(tasks: Sequence[Mapping[str, Any]]) -> float:
    """``min(1, mean(weight of the type * factor of the priority))``; 0 without tasks."""
    if not tasks:
        return 0.0
    total = sum(
        _looked_up(WEIGHTS, task.get("type"), OTHER_WEIGHT) * _looked_up(PRIORITIES, task.get("priority"), 1.0)
        for task in tasks
    )
    return min(1.0, total / len(tasks))


def _looked_up(table: Mapping[str, float], word: Any, other: float) -> float:
    return table.get(word, other) if isinstance(word, str) else other


def verdict(success_rate: float) -> str:
    """``"success"`` from 0.7 on, else ``"partial"``."""
    return "success" if success_rate >= SUCCESS_FROM else "partial"


def comparison(context: EvolutionContext) -> Found:
    """Return ``before``, ``plan``, ``after`` and ``implementation`` with the ``delta`` of metrics and tasks."""
    tasks = context.improvement_plan.get("tasks", [])
    return {
        "before": context.original_analysis,
        "plan": context.improvement_plan,
        "after": context.current_state,
        "implementation": context.implementation_log,
        "delta": {
            "metrics": metric_deltas(context.metrics_before, context.metrics_after),
            "tasks": task_deltas(tasks, context.changes_made),
        },
    }


def metric_deltas(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Found]:
    """Return ``{name: {before, after, delta}}``; delta is None unless both are numbers."""
    found = {}
    for name in [*before, *(name for name in after if name not in before)]:
        old, new = before.get(name), after.get(name)
        change = new - old if _is_number(old) and _is_number(new) else None
        found[name] = {"before": old, "after": new, "delta": change}
    return found


def task_deltas(tasks: Any, changes: Sequence[Any]) -> dict[str, Found]:
    """Return ``{task id: {done, changes}}``: the changes that name the task's id, as a value or as a word in a text.

    A task without an id goes by its place in the plan, ``#1`` being the first, and is never named.
    """
    found: dict[str, Found] = {}
    for place, task in enumerate(tasks if isinstance(tasks, list) else [], 1):
        own = task.get("id") if isinstance(task, Mapping) else None
        if own is None:
            found[f"#{place}"] = {"done": False, "changes": []}
        else:
            naming = naming_changes(str(own), changes)
            found[str(own)] = {"done": bool(naming), "changes": naming}
    return found


def naming_changes(task: str, changes: Sequence[Any]) -> list[Any]:
    """Return the changes that have the task's id as a value, or as a word of a text, wherever in them."""
    word = re.compile(rf"(?<![\w-]){re.escape(task)}(?![\w-])")
    return [change for change in changes if any(word.search(text) for text in _texts(change))]


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str) or (isinstance(value, int | float) and not isinstance(value, bool)):
        yield str(value)


def _is_number(value: Any) -> TypeGuard[float]:
    """Whether it can be reckoned with: an integer past the largest float cannot."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -_LARGEST <= value <= _LARGEST
