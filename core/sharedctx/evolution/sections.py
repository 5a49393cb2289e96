"""What each phase stores: its arguments checked, its section, and the plain fields that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidValue
from .assessment import estimated_impact, verdict
from .context import Found, check_kind, check_rate
from .record import Change

_SHAPES: dict[str, dict[str, tuple[type, ...]]] = {
    "original_analysis": {
        "files_analyzed": (list, int),
        "metrics": (dict,),
        "issues": (list, dict),
        "improvements": (list, dict),
    },
    "external_research": {"best_practices": (list, dict), "references": (list, dict), "patterns": (list, dict)},
    "improvement_plan": {"tasks": (list,), "priorities": (list, dict), "dependencies": (list, dict)},
    "implementation_log": {"modified_files": (list,), "changes": (list,), "rollback_points": (list,)},
    "evaluation_results": {"goals_achieved": (list, dict), "metrics_comparison": (dict,)},
}
_SHAPES["current_state"] = _SHAPES["original_analysis"]

FOLLOWING = {
    "original_analysis": ("metrics_before",),
    "current_state": ("metrics_after",),
    "implementation_log": ("changes_made", "rollback_points"),
}
"""Sections that are written together with a phase's own."""


def storing(section: str, given: Mapping[str, Any], **more: Any) -> Change:
    """Return the change that stores a phase's section; raises ``InvalidValue`` for arguments of wrong types."""
    body: Found = {name: check_kind(name, given[name], *kinds) for name, kinds in _SHAPES[section].items()}
    body |= more

    def change(held: dict[str, Any], now: str) -> dict[str, Any]:
        following = {name: value for name, value in _following(section, body).items() if value or held[name]}
        return {section: {**body, "timestamp": now}, **following}

    return change


def _following(section: str, body: Found) -> dict[str, Any]:
    match section:
        case "original_analysis":
            return {"metrics_before": body["metrics"]}
        case "current_state":
            return {"metrics_after": body["metrics"]}
        case "implementation_log":
            return {"changes_made": body["changes"], "rollback_points": body["rollback_points"]}
    return {}


def impact_of(tasks: Any, given: Any) -> Any:
    """Return the estimate that was given, or else what the tasks promise; raises ``InvalidValue``."""
    check_kind("tasks", tasks, list)
    if not all(isinstance(task, dict) for task in tasks):
        raise InvalidValue("each task is an object: write for example {'id': 't1', 'type': 'refactor'}")
    return estimated_impact(tasks) if given is None else check_kind("estimated_impact", given, int, float, dict, str)


def evaluation(given: Mapping[str, Any], success_rate: Any) -> Change:
    """Return the change that stores an evaluation, its verdict, and the rate among the state's fields."""
    rate = check_rate(success_rate)
    store = storing("evaluation_results", given, success_rate=rate, verdict=verdict(rate))

    def change(held: dict[str, Any], now: str) -> dict[str, Any]:
        return {**store(held, now), "state": {**held["state"], "success_rate": rate}}

    return change
