"""The lines of a transcript: of each step what the agent did, said and was told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from .. import plain
from ..columns.outline import step as path_step

DONE, SAID, TOLD, RULES, AROUND = range(5)
"""Sorts of lines: what an agent did, what it said, what it was told, what it was told before all, other members."""
_OBSERVERS = frozenset(
    ("tool", "function", "system", "developer", "environment", "ipython", "user", "human", "observation")
)
_RULERS = frozenset(("system", "developer"))
_OBSERVED = frozenset(
    ("observation", "output", "result", "results", "stdout", "stderr", "tool_result", "state", "prompt", "system")
)
_DOING = frozenset(
    ("action", "command", "cmd", "tool_calls", "function_call", "arguments", "input", "tool_input", "query")
)
_NAMED = ("name", "tool", "tool_name", "function")
_GIVEN = ("arguments", "args", "input", "parameters", "tool_input", "action_input")
_SKIPPED = re.compile(r"role|from|type|message_type|agent|id|.*_ids?|execution_time|timestamp|created(?:_at)?")
_FENCE = re.compile(r"\s{0,3}(?:```|~~~)")
_DEEPEST = 12
_LONG_LINE = 2000


class Line(NamedTuple):
    """One line: its array's path, its step's number (-1: outside of steps), its sort, its text."""

    array: str
    step: int
    sort: int
    text: str


def speaks(step: Any) -> bool:
    """Whether a step is the agent's own."""
    if type(step) is not dict:
        return False
    role = step.get("role", step.get("from", step.get("type")))
    return type(role) is not str or role not in _OBSERVERS


def lines(value: Any) -> Iterator[Line]:
    """Yield the lines of a list of steps, or of an object with such lists, in order."""
    if type(value) is list:
        yield from _steps("", value)
        return
    for name, part in value.items():
        if type(part) is list and any(type(each) is dict for each in part[:3]):
            yield from _steps(path_step(name), part)
        else:
            yield from (Line("", -1, AROUND, text) for text in _around(str(name), part, 0))


def _steps(path: str, steps: list[Any]) -> Iterator[Line]:
    for number, step in enumerate(steps):
        if type(step) is not dict:
            yield Line(path, number, SAID, step if type(step) is str else plain.compact(step)[:_LONG_LINE])
            continue
        role = step.get("role", step.get("from"))
        sort = SAID if speaks(step) else RULES if role in _RULERS else TOLD
        for each, text in _strings(step, sort, "", 0):
            yield Line(path, number, each, text)


def _strings(part: Any, sort: int, name: str, depth: int) -> Iterator[tuple[int, str]]:
    """The lines of a step's strings and their sorts; a call of a tool is one line."""
    if type(part) is str:
        fenced = False
        for line in part.split("\n"):
            if _FENCE.match(line):
                fenced = not fenced
            elif line.strip():
                yield (DONE if sort == SAID and fenced else sort), line.rstrip()
    elif type(part) is list and depth < _DEEPEST:
        for each in part:
            yield from _strings(each, sort, name, depth + 1)
    elif type(part) is dict and depth < _DEEPEST:
        called = _call(part) if depth else None
        if called is not None:
            yield DONE, called
            return
        for inner, each in part.items():
            if _SKIPPED.fullmatch(inner) and depth <= 1:
                continue
            own = TOLD if inner in _OBSERVED and sort == SAID else DONE if inner in _DOING and sort == SAID else sort
            yield from _strings(each, own, inner, depth + 1)


def _call(part: dict[str, Any]) -> str | None:
    """A call of a tool as its name and what it was given; None for another object."""
    inner = part.get("function")
    if type(inner) is dict:
        part = inner
    name = next((part[each] for each in _NAMED if type(part.get(each)) is str), None)
    given = next((part[each] for each in _GIVEN if each in part), None)
    if name is None or given is None:
        return None
    if type(given) is str:
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return f"{name} {given}"
    if type(given) is dict:
        return f"{name} " + ", ".join(f"{each}={_short(told)}" for each, told in given.items())
    return f"{name} {_short(given)}"


def _short(value: Any) -> str:
    return value if type(value) is str else plain.compact(value)


def _around(name: str, part: Any, depth: int) -> Iterator[str]:
    """Members that are in no step: names with short values."""
    if type(part) is dict and depth < _DEEPEST:
        for inner, each in part.items():
            yield from _around(str(inner), each, depth + 1)
    elif type(part) is list and depth < _DEEPEST:
        for each in part:
            yield from _around(name, each, depth + 1)
    elif type(part) is str:
        rows = [row.rstrip() for row in part.split("\n") if row.strip()]
        if len(rows) == 1:
            yield f"{name}: {rows[0]}"
        else:
            yield from rows
    elif part is not None:
        yield f"{name}: {json.dumps(part)}"
