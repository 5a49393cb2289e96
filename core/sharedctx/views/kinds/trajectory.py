"""Transcripts of agents: messages or steps with what was thought, done and observed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..columns.fitted import shorten_value
from ..columns.layout import Column, Layout
from ..columns.packing import pack_value, unpack_value
from ..columns.shortening import Limits, ShortWriter, Unit
from ..kind import Brief, Draft, Source
from ..steps.digest import digest
from ..steps.spoken import speaks

_LEAST = 3
_SAMPLED = 40
_MARKS = ("role", "content", "observation", "action", "thought", "tool_calls", "tool_call_id", "response")
_SPEAKERS = frozenset(("human", "gpt", "user", "assistant", "system", "tool", "function"))
_OBSERVED = frozenset(
    ("observation", "output", "result", "results", "stdout", "stderr", "tool_result", "state", "prompt", "system")
)
_LIMITS = Limits(share=1.0, text=500, parts=24, columns=0)
_OWN = 3
"""How many times as much is kept of what the agent said than of what it was told."""

_ROOMY = 0.1
"""A budget of a smaller share of the tokens has no room for all steps."""
_LONG = 30_000
_PER_CHARACTER = 3500
"""Of a longer text more is kept: with 500 characters from a short one a seventh of the rest."""


class TrajectoryWriter(ShortWriter):
    """Keeps each step, and of its strings more where the agent speaks."""

    _own = False
    _name = ""

    def limit(self, text: str) -> int:
        """More for thoughts and actions than for observations."""
        own = self._own and self._name not in _OBSERVED
        return self._limits.text * (_OWN if own else 1) + min(len(text), _LONG) * self._limits.text // _PER_CHARACTER

    def lines(self, layout: Layout, places: Any, value: Any) -> list[str]:
        """The lines of some steps."""
        lines = []
        for place in places:
            self._own = speaks(layout.rows[place]) or place == len(layout.rows) - 1
            lines += super().lines(layout, [place], value)
        self._own = False
        return lines

    def cell(self, leaf: Column, at: int) -> str:
        """One cell."""
        before, self._name = self._name, leaf.name or self._name
        spelled = super().cell(leaf, at)
        self._name = before
        return spelled

    def part(self, name: str | int, value: Any, depth: int) -> str:
        """A member, with the path to it."""
        before = self._name, self._own
        if type(name) is str:
            self._name = name
        elif depth >= 0 and type(value) is dict:
            self._own = speaks(value)
        spelled = super().part(name, value, depth)
        self._name, self._own = before
        return spelled


def _is_said(step: dict[str, Any]) -> bool:
    speaker = step.get("from")
    return type(speaker) is str and speaker in _SPEAKERS and "value" in step


def _is_steps(value: Any) -> bool:
    if type(value) is not list or len(value) < _LEAST:
        return False
    sample = value[:_SAMPLED]
    marked = [sum(mark in step for mark in _MARKS) >= 2 or _is_said(step) for step in sample if type(step) is dict]
    return sum(marked) >= 0.8 * len(sample)


class TrajectoryKind:
    """An array of messages or steps, or an object with such an array."""

    name = "trajectory"

    def fits(self, source: Source) -> float:
        """0.95 where such an array is found."""
        value = source.value
        if type(value) is dict:
            return 0.95 if any(map(_is_steps, list(value.values())[:_SAMPLED])) else 0.0
        return 0.95 if _is_steps(value) else 0.0

    def shorten(self, source: Source, brief: Brief) -> Draft | None:
        """All steps, with long observations shortened; within a small budget the lines that tell most."""
        value, budget = source.value, brief.budget
        if budget is None or budget >= _ROOMY * brief.count(source.text):
            unit = Unit("rows") if type(value) is list else None
            whole = replace(brief, budget=None)
            made = shorten_value("trajectory", _what(), value, source, whole, _LIMITS, unit, False, TrajectoryWriter)
            if budget is None or made is None or brief.count(made.text) <= budget:
                return made
        return digest(value, brief, budget, source.text) or shorten_value(
            "trajectory", _what(), value, source, brief, _LIMITS
        )

    def pack(self, source: Source) -> str | None:
        """All steps, with names for what repeats."""
        packed = pack_value("trajectory", _what(), source.value)
        return packed if packed is not None and len(packed) < len(source.text) else None

    def unpack(self, text: str) -> Any:
        """The array or object. Raises ``DecodeError``."""
        return unpack_value("trajectory", text)


def _what() -> str:
    return "JSON with few quotes"


KIND = TrajectoryKind()
