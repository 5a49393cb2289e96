"""Diffs: files, hunks and every changed line; context by reference, long lists of like changes by their ends."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from ..fitting import wanted
from ..kind import Brief, Draft, Source
from ..lines.patch import CHANGE, FILE, HEAD, HUNK, MARK, REST, STAT, TEXT, Patch, Section, read
from ..parts import Novelty, Part, chunks, fit

_SAMPLE = 60_000
_LOG = re.compile(r"commit [0-9a-f]{7,64}\b|From [0-9a-f]{40} |Index: |diff -|--- \S")
_GENERATED = re.compile(
    r"(?:^|/)(?:[\w.-]*(?:-lock|\.lock|[.-]lock\.\w+|\.lockb)|go\.sum|npm-shrinkwrap\.json|[\w.-]+\.min\.\w+|[\w.-]+\.(?:map|snap|svg"
    r"|pb\.go|g\.dart|designer\.cs)|[\w.-]+_pb2(?:_grpc)?\.pyi?|[\w.-]*\.generated\.\w+|(?:dist|vendor|node_modules|third_party)/.+)$"
)
_FEW = 10
"""So many changes of a generated file are shown all the same."""
_LIST, _ENDS = 30, 2
"""A run of like changes is cut from this length on, to so many at each end."""
_LONGEST = 400
_FIRST_CHANGES = 6
_CLOSELY = 60
"""Characters of a diff for each token of a budget that are read closely; behind them files and their first changes."""
_SURELY = 16
"""Characters for one token: what has more of them is not counted."""
_READ = 2000
_SHARES = {HUNK: 0.4, HEAD: 0.4, CHANGE: 1.5}
"""What a word is worth that stands in no line before."""
_AFTER = 0.005
"""How much less a change tells for each one before it in its file: of all files some are shown."""
_SHAPE = re.compile(r"[^<>()\[\]{}=;:|@\"#]+")
_WORD = re.compile(r"[\w.$-]{1,80}$")
_TELLS = re.compile(r"\w")
_WANTED, _FOUND, _NAME, _SUBJECT, _EARLY, _LATER, _AROUND = 9, 8, 7, 6, 5, 4, 2


class DiffKind:
    """What ``diff``, ``git diff``, ``git show``, ``git log -p`` and ``git format-patch`` print."""

    name = "diff"

    def fits(self, source: Source) -> float:
        """Of the first lines, how many belong to a hunk or the header of a file."""
        if source.value is not None:
            return 0.0
        sample = source.text[:_SAMPLE]
        mark = MARK.search(f"\n{sample}")
        if mark is None:
            return 0.0
        lines = sample.split("\n")
        first = sample.count("\n", 0, mark.start())
        first = next((at for at in range(first) if lines[at].startswith(FILE)), first)  # all before is text
        least = 0.2 if _LOG.match(lines[0]) else 0.4
        if 1 - first / len(lines) < least:
            return 0.0
        roles = read(lines[first:]).roles
        if HUNK not in roles or CHANGE not in roles:
            return 0.0
        share = 1 - (first + roles.count(TEXT) + roles.count(STAT)) / len(lines)
        if share < least:
            return 0.0
        return 0.97 if least < 0.4 else 0.96 if share >= 0.6 else 0.4

    def shorten(self, source: Source, brief: Brief) -> Draft | None:
        """Every changed line under its hunk and its file; a file's name says where its part stands in the original."""
        lines = source.lines
        patch = read(lines)
        if HUNK not in patch.roles:
            return None
        ranks = _rank(lines, patch, brief)
        kept = sum([min(len(line), _LONGEST) for line, rank in zip(lines, ranks, strict=True) if rank])
        if brief.budget is None or kept <= _SURELY * brief.budget:
            draft = _spell(lines, patch, ranks, 1, brief)
            if brief.budget is None or brief.count(draft.text) <= brief.budget:
                return draft if draft.refs and len(draft.text) < len(source.text) else None
        return fit(
            list(_parts(lines, patch, ranks, brief)),
            source.text,
            f"lines:1-{len(lines)}",
            brief,
            brief.budget,
            "changes",
        )


def _rank(lines: Sequence[str], patch: Patch, brief: Brief) -> bytearray:
    """How much each line matters, 0 for what is left out."""
    roles = patch.roles
    ranks = bytearray(len(lines))
    for section in patch.sections:
        _rank_section(lines, roles, section, ranks)
    if brief.wanted:
        for index, line in enumerate(lines):
            low = line.lower()
            if any(word in low for word in brief.wanted) and roles[index] not in (STAT, REST):
                ranks[index] = _WANTED if roles[index] == CHANGE else max(_FOUND, ranks[index])
    return ranks


def _rank_section(lines: Sequence[str], roles: bytearray, section: Section, ranks: bytearray) -> None:
    part = range(section.first, section.last + 1)
    if section.name < 0:
        many = sum(roles[index] == STAT for index in part) > 2
        for place, index in enumerate(part):
            if roles[index] != STAT or not many:
                ranks[index] = _SUBJECT if place < 5 else _AROUND
        return
    generated = _GENERATED.search(section.path) is not None
    generated = generated and sum(roles[index] == CHANGE for index in part) > _FEW
    for index in part:
        if roles[index] == HEAD or index == section.name:
            ranks[index] = _NAME
    if generated:
        return
    seen = 0
    for role, run in groupby(part, key=lambda index: roles[index]):
        if role == HUNK:
            for index in run:
                ranks[index] = _EARLY if seen < _FIRST_CHANGES else _LATER
        elif role == CHANGE:
            for index in _without_lists(lines, list(run)):
                ranks[index] = _EARLY if seen < _FIRST_CHANGES else _LATER
                seen += 1


def _without_lists(lines: Sequence[str], run: Sequence[int]) -> list[int]:
    """The changes of a run, but for the inside of long lists of lines that look alike."""
    if len(run) < _LIST:
        return list(run)
    kept: list[int] = []
    for _, alike in groupby(run, key=lambda index: _shape(lines[index])):
        group = list(alike)
        kept += group if len(group) < _LIST else [*group[:_ENDS], *group[-_ENDS:]]
    return kept


def _shape(line: str) -> str:
    text = line[1:200].lstrip()
    return line[:1] + text[:1] * (not text[:1].isalnum()) + _SHAPE.sub("w", text)


def _spell(lines: Sequence[str], patch: Patch, ranks: Sequence[int], least: int, brief: Brief) -> Draft:
    """The lines of at least a rank."""
    return _draft(lines, patch, [index for index, rank in enumerate(ranks) if rank >= least], brief)


def _draft(lines: Sequence[str], patch: Patch, shown: Sequence[int], brief: Brief) -> Draft:
    """The shown lines; the name of a file tells where its context is, other gaps are told where they are."""
    out: list[str] = []
    spans: list[tuple[int, int]] = []
    loose: tuple[int, int] | None = None  # lines of sections of which nothing is shown
    at = 0

    def mark(span: tuple[int, int]) -> str:
        first, last = span[0] + 1, span[1] + 1
        spans.append((first, last))
        return f"…{first}-{last}" if last > first else f"…{first}"

    for section in patch.sections:
        start = at
        while at < len(shown) and shown[at] <= section.last:
            at += 1
        mine = shown[start:at]
        behind = _gaps(lines, patch, section, mine)
        if -1 in behind:
            span = behind[-1]
            loose = (loose[0] if loose else span[0], span[1])
        if loose and mine:
            out.append(mark(loose))
            loose = None
        for index in mine:
            line = lines[index].rstrip("\r")
            text = _WORD.sub("", line[:_LONGEST]) if len(line) > _LONGEST else line
            out.append(f"{text} {mark(behind[index])}" if index in behind else text)
    if loose:
        out.append(mark(loose))
    if not spans:
        return Draft("\n".join(out), "changes")
    refs = [f"lines:{a}-{b}" for a, b in spans]
    a, b = spans[0]
    what = f"diff of {len(lines)} lines; …{a}-{b} is lines {a}-{b} with what was"
    return Draft("\n".join([brief.marks.omitted(what, refs[0]), *out]), "changes", tuple(map(brief.marks.ref, refs)))


def _gaps(lines: Sequence[str], patch: Patch, section: Section, shown: Sequence[int]) -> dict[int, tuple[int, int]]:
    """The gaps of a section by the shown line that tells of them, -1 where there is none before."""
    named = section.name >= 0 and section.name in shown
    behind: dict[int, tuple[int, int]] = {}
    teller, at = -1, section.first
    for index in [*shown, section.last + 1]:
        if index > at and any(line.strip() for line in lines[at:index]):
            told = section.name if named and CHANGE not in patch.roles[at:index] else teller
            first = behind[told][0] if told in behind else at
            behind[told] = (first, index - 1)
        teller = index
        at = index + (index <= section.last and len(lines[index]) <= _LONGEST)
    if named and -1 in behind:
        first, last = behind.pop(-1)
        behind[section.name] = (first, max(last, behind.get(section.name, (0, 0))[1]))
    return behind


def _parts(lines: Sequence[str], patch: Patch, ranks: Sequence[int], brief: Brief) -> Iterator[Part]:
    """The lines of a rank, long ones in parts: names of files, subjects, what a query asks for, what tells most."""
    novelty = Novelty()
    named = {section.name: section.path for section in patch.sections}
    folder = ""
    changes = 0  # in this file, so far
    room = math.inf if brief.budget is None or brief.wanted else _CLOSELY * brief.budget
    for index, rank in enumerate(ranks):
        if not rank:
            continue
        changed = patch.roles[index] == CHANGE
        changes = 0 if index in named else changes + changed
        room -= len(lines[index])
        if room < 0 and rank < _EARLY:
            continue
        share = _SHARES.get(patch.roles[index], 1.0) / (1 + changed * _AFTER * changes)
        told = novelty.of(lines[index][:_LONGEST])
        for number, chunk in enumerate(chunks(lines[index][:_READ])):
            worth = share * (told if not number else novelty.of(chunk)) + 10 * wanted(chunk, brief)
            if index in named or (rank == _SUBJECT and not number):
                worth += rank
            if not worth and not _TELLS.search(chunk):
                continue
            short = ""
            if index in named:
                before, (folder, _, name) = folder, named[index].rpartition("/")
                short = name if folder == before else ""
            yield Part(chunk, worth, number > 0, index in named, short)


KIND = DiffKind()
