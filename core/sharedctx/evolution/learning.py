"""What many evolutions teach: queries over their lines, and a summary of what worked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypedDict

from ..access import matches
from ..errors import InvalidValue
from .assessment import metric_deltas, naming_changes, verdict
from .catalogue import Line
from .context import EvolutionContext, Found, check_text, finished


class Wanted(TypedDict, total=False):
    """What to ask evolutions for; ``*`` in ``target_path`` and ``status`` stands for any text.

    ``metric`` names one of the metrics (its value after, else before) or ``success_rate``, ``at_least`` and
    ``at_most`` bound it.
    """

    target_path: str | None
    focus_area: str | None
    status: str | None
    metric: str | None
    at_least: float | None
    at_most: float | None


_TEXTS = ("target_path", "focus_area", "status", "metric")
_BOUNDS = ("at_least", "at_most")


def select(lines: Iterable[Line], wanted: Wanted) -> list[Line]:
    """Return the lines that fit everything asked for; with bounds only those whose metric is a number.

    Raises ``InvalidValue`` for what cannot be asked for, and for bounds without a metric.
    """
    if unknown := [name for name in wanted if name not in (*_TEXTS, *_BOUNDS)]:
        raise InvalidValue(f"evolutions are not found by {unknown[0]!r}: by {', '.join((*_TEXTS, *_BOUNDS))}")
    target_path, focus_area, status, metric = (_text(wanted, name) for name in _TEXTS)
    at_least, at_most = (_bound(wanted, name) for name in _BOUNDS)
    if metric is None and (at_least is not None or at_most is not None):
        raise InvalidValue("at_least and at_most bound a metric: name it with metric=")

    def fits(line: Line) -> bool:
        listed = line.listed
        return (
            (target_path is None or matches(target_path, listed["target_path"]))
            and (focus_area is None or focus_area in listed["focus_areas"])
            and (status is None or matches(status, listed["status"]))
            and (metric is None or _within(line.metrics, metric, at_least, at_most))
        )

    return [line for line in lines if fits(line)]


def _text(wanted: Wanted, name: str) -> str | None:
    text = wanted.get(name)
    return None if text is None else check_text(name, text)


def _bound(wanted: Wanted, name: str) -> float | None:
    bound: Any = wanted.get(name)
    if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int | float) or bound != bound):
        raise InvalidValue(f"the bound {name} {bound!r:.60} is not a number")
    return bound


def _within(metrics: Found, metric: str, at_least: float | None, at_most: float | None) -> bool:
    if metric not in metrics:
        return False
    value = metrics[metric]
    if at_least is None and at_most is None:
        return True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return (at_least is None or value >= at_least) and (at_most is None or value <= at_most)


def summary(contexts: Iterable[EvolutionContext]) -> Found:
    """Return what the evolutions have in common; rates are means over those that were evaluated."""
    known = list(contexts)
    judged = [each for each in known if each.evaluation_results]
    verdicts = {"success": 0, "partial": 0}
    tasks: dict[str, list[bool]] = {}
    deltas: dict[str, list[float]] = {}
    for context in known:
        if context.evaluation_results:
            verdicts[verdict(context.success_rate)] += 1
        planned = context.improvement_plan.get("tasks", [])
        for task in planned if isinstance(planned, list) else []:
            kind, own = (task.get("type"), task.get("id")) if isinstance(task, dict) else (None, None)
            done = own is not None and bool(naming_changes(str(own), context.changes_made))
            tasks.setdefault(kind if isinstance(kind, str) else "other", []).append(done)
        for name, metric in metric_deltas(context.metrics_before, context.metrics_after).items():
            if metric["delta"] is not None:
                deltas.setdefault(name, []).append(metric["delta"])
    return {
        "evolutions": len(known),
        "finished": sum(finished(each.status) for each in known),
        "evaluated": len(judged),
        "success_rate": _mean([each.success_rate for each in judged]),
        "verdicts": verdicts,
        "targets": _rates(judged, lambda each: [each.target_path]),
        "focus_areas": _rates(judged, lambda each: each.focus_areas),
        "patterns": _rates(judged, _patterns),
        "tasks": {
            kind: {"planned": len(found), "done": sum(found)}
            for kind, found in sorted(tasks.items(), key=lambda item: (-len(item[1]), item[0]))
        },
        "metrics": {
            name: {
                "evolutions": len(found),
                "mean_delta": _mean(found),
                "up": sum(delta > 0 for delta in found),
                "down": sum(delta < 0 for delta in found),
            }
            for name, found in sorted(deltas.items())
        },
        "errors": sum(len(each.error_log) for each in known),
    }


def _patterns(context: EvolutionContext) -> list[str]:
    researched = context.external_research.get("patterns", [])
    both = [*context.patterns_learned, *(researched if isinstance(researched, list) else [])]
    return [pattern if isinstance(pattern, str) else str(pattern) for pattern in both]


def _rates(contexts: list[EvolutionContext], words: Any) -> dict[str, Found]:
    found: dict[str, list[float]] = {}
    for context in contexts:
        for word in dict.fromkeys(words(context)):
            found.setdefault(word, []).append(context.success_rate)
    ranked = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return {word: {"evolutions": len(rates), "success_rate": _mean(rates)} for word, rates in ranked}


def _mean(numbers: list[float]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None
