"""Skeletons by indentation: Python that does not parse, Ruby, shell."""

from __future__ import annotations

import re

from .language import Language
from .plan import (
    DETAIL,
    FAILURE,
    FUNCTION,
    IMPORT,
    NESTED,
    NOTE,
    STATED,
    STATEMENT,
    TYPE,
    LineNumbers,
    Plan,
    width,
)

_REACH = 300
_SIGNATURE = 12
_LETTERS = re.compile(r"\w")
_TRIPLE = re.compile(r"[ \t]*[rRuUbB]{0,2}(?:\"\"\"|''')")
_DECORATOR = re.compile(r"[ \t]*@\w")
_END = re.compile(r"[ \t]*(?:end\b|\}|\))")
_RUN = 6
_IMPORTS = 60


def read(text: str, lines: list[str], language: Language) -> Plan:
    """Return the plan of a program; a block is what is indented more than the line before it."""
    plan = Plan(lines)
    inert = _inert(text, lines, language)
    declared = {line for line in language.declared(text) if not inert[line]}
    hidden = _rank_functions(plan, declared, language, inert)
    at = LineNumbers(text)
    for found in language.importing.finditer(text):
        line = at.of(found.start())
        if not inert[line]:
            plan.keep_statement(line, IMPORT, _IMPORTS)
    at = LineNumbers(text)
    for place in language.failing_places(text):
        line = at.of(place)
        if not inert[line]:
            plan.keep_statement(line, FAILURE)
    plan.keep_todos(text)
    _rank_rest(plan, hidden, inert)
    if text.startswith("#!"):
        plan.keep(0, 0, DETAIL)
    return plan


def _inert(text: str, lines: list[str], language: Language) -> bytearray:
    """For each line 1 if it is a comment, 2 if it starts within a string."""
    inert = bytearray(len(lines))
    line = at = 0
    for token in language.inert.finditer(text):
        start = token.start()
        line += text.count("\n", at, start)
        at = start
        end = line + text.count("\n", start, token.end())
        if end > line:
            inert[line + 1 : end + 1] = bytes([1 if token[1] else 2]) * (end - line)
        if token[1] and not inert[line] and lines[line].lstrip(" \t")[:2] == token[0][:2]:
            inert[line] = 1
    return inert


def _rank_functions(plan: Plan, declared: set[int], language: Language, inert: bytearray) -> bytearray:
    """Rank the declarations; return for each line whether it is inside a function."""
    lines = plan.lines
    hidden = bytearray(len(lines))
    open_functions: list[tuple[int, int, int]] = []  # indentation, first line, last line so far
    signature_end = -1
    python = language.reader == "python"
    for index, line in enumerate(lines):
        text = line[:_REACH]
        if inert[index] == 2 or index <= signature_end or not text.strip():
            hidden[index] = bool(open_functions)
            continue
        indent = width(text)
        while open_functions and indent <= open_functions[-1][0]:
            level, first, last = open_functions.pop()
            if not python and indent == level and _END.match(text):
                last = index
                hidden[index] = 1
            plan.functions.append((first, last))
        if hidden[index]:
            continue
        hidden[index] = bool(open_functions)
        if index in declared:
            first, depth = index, bool(open_functions)
            while first and _DECORATOR.match(lines[first - 1]):
                first -= 1
            contains = language.containing.match(text.lstrip(" \t"))
            signature_end = _signature_end(lines, index, python and not contains)
            rank = NESTED if depth else (TYPE if contains else FUNCTION) - (indent > 0)
            plan.keep(first, signature_end, rank)
            if python:
                _docstring(plan, signature_end + 1)
            if not contains:
                open_functions.append((indent, first, signature_end))
        if open_functions:
            open_functions[-1] = (*open_functions[-1][:2], max(index, open_functions[-1][2]))
    for _, first, last in open_functions:
        plan.functions.append((first, max(last, first)))
    return hidden


def _signature_end(lines: list[str], index: int, colon: bool) -> int:
    """The last line of a signature: where its brackets are closed, in Python with a colon behind."""
    depth = 0
    for last in range(index, min(index + _SIGNATURE, len(lines))):
        line = lines[last][:_REACH]
        depth += sum(map(line.count, "([")) - sum(map(line.count, ")]"))
        if depth <= 0 and (not colon or ":" in line):
            return last
    return index


def _docstring(plan: Plan, index: int) -> None:
    if index < len(plan.lines) and (found := _TRIPLE.match(plan.lines[index])):
        plan.keep(index, index, DETAIL)
        if not plan.lines[index][found.end() :].strip():
            plan.keep(index + 1, index + 1, DETAIL)


def _rank_rest(plan: Plan, hidden: bytearray, inert: bytearray) -> None:
    lines, ranks = plan.lines, plan.ranks
    run = 0
    comment = -1
    for index, line in enumerate(lines):
        text = line[:_REACH]
        if hidden[index] or inert[index] == 2:
            run, comment = 0, -1
        elif not text.strip():
            comment = -1
        elif inert[index]:
            if index == 0 or (comment < 0 and _LETTERS.search(text)):
                comment = index
        else:
            if ranks[index]:
                run = 0
            elif _LETTERS.search(text):
                run += 1
                plan.keep(index, index, STATED if run <= _RUN else STATEMENT)
            if comment >= 0 and ranks[index]:
                plan.keep(comment, comment, min(ranks[index], NOTE))
                plan.notes.add(comment)
            comment = -1
