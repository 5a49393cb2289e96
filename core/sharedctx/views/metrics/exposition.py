"""Text of metrics as Prometheus and OpenMetrics write it, read into blocks of like samples."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import NamedTuple

_SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(\{.*\})? ([-+\w.]+)(?: (-?\d+(?:\.\d+)?))?", re.ASCII)
_LABEL = re.compile(r'([a-zA-Z_][\w.]*)="([^"\\]*(?:\\.[^"\\]*)*)"', re.ASCII)
_TYPE = re.compile(r"# TYPE ([a-zA-Z_:][\w:]*) ([a-z]+)", re.ASCII)
_HELP = re.compile(r"# HELP ([a-zA-Z_:][\w:]*) (\S.*)", re.ASCII)

MOST_ALIKE = 1000
"""A block has no more samples than this if all its lines are the same."""


class Sample(NamedTuple):
    """One line: the name, the labels as written, the value and the time as spelled (empty: none)."""

    name: str
    labels: tuple[tuple[str, str], ...] | None
    value: str
    time: str


@dataclass(slots=True)
class Block:
    """Successive samples of one name with the same label names, from line ``line`` on, and what stands above them."""

    line: int
    samples: list[Sample]
    base: str = ""
    type: str = ""
    help: str = ""

    @property
    def above(self) -> int:
        """How many lines of HELP and TYPE belong to the block."""
        return bool(self.type) + bool(self.help)


@dataclass(slots=True)
class Exposition:
    """Blocks and, as text, the lines that are of none, in their order."""

    parts: list[Block | str] = field(default_factory=list)

    @property
    def blocks(self) -> list[Block]:
        """The blocks alone."""
        return [part for part in self.parts if isinstance(part, Block)]


def sample(line: str) -> Sample | None:
    """Read a line, or return None where it is no sample in the canonical spelling."""
    found = _SAMPLE.fullmatch(line)
    if found is None:
        return None
    if found[2] is None:
        return Sample(found[1], None, found[3], found[4] or "")
    inner = found[2][1:-1]
    labels = []
    at = 0
    while at < len(inner):
        label = _LABEL.match(inner, at)
        if label is None:
            return None
        labels.append((label[1], label[2]))
        at = label.end()
        if at < len(inner):
            if inner[at] != "," or at + 1 == len(inner):
                return None
            at += 1
    return Sample(found[1], tuple(labels), found[3], found[4] or "")


def read(lines: list[str]) -> Exposition:
    """Divide lines into blocks; nothing is lost."""
    found = Exposition()
    shape = None
    help_line = type_line = ""
    for number, line in enumerate(lines, 1):
        one = sample(line) if line and line[0] != "#" else None
        if one is None:
            shape = None
            if _HELP.fullmatch(line):
                found.parts += [each for each in (help_line, type_line) if each]
                help_line, type_line = line, ""
            elif _TYPE.fullmatch(line) and not type_line:
                type_line = line
            else:
                found.parts += [each for each in (help_line, type_line) if each]
                help_line = type_line = ""
                found.parts.append(line)
            continue
        keys = None if one.labels is None else tuple(key for key, _ in one.labels)
        this = (one.name, keys, bool(one.time))
        last = found.parts[-1] if found.parts else None
        if this == shape and isinstance(last, Block) and (len(last.samples) % MOST_ALIKE or one != last.samples[-1]):
            last.samples.append(one)
            continue
        shape = this
        found.parts.append(_block(found, number, one, help_line, type_line))
        help_line = type_line = ""
    found.parts += [each for each in (help_line, type_line) if each]
    return found


def _block(found: Exposition, number: int, one: Sample, help_line: str, type_line: str) -> Block:
    told, typed = _HELP.fullmatch(help_line), _TYPE.fullmatch(type_line)
    if typed is None or not one.name.startswith(typed[1]) or (told is not None and told[1] != typed[1]):
        found.parts += [each for each in (help_line, type_line) if each]
        return Block(number, [one])
    return Block(number, [one], typed[1], typed[2], told[2] if told is not None else "")


def amount(spelled: str) -> float:
    """The value of a sample as a number; NaN for what is none."""
    try:
        return float(spelled)
    except ValueError:
        return math.nan


def span(block: Block) -> str:
    """`` 0..12, 7 of them 0`` for the values of a block."""
    spelled = {sample.value: amount(sample.value) for sample in block.samples}
    known = [each for each in spelled if not math.isnan(spelled[each])]
    if not known:
        return ""
    low, high = min(known, key=lambda each: spelled[each]), max(known, key=lambda each: spelled[each])
    zeros = sum(spelled[sample.value] == 0 for sample in block.samples)
    if spelled[low] == spelled[high]:
        return f" all {low}"
    return f" {low}..{high}" + (f", {zeros} of them 0" if zeros else "")
