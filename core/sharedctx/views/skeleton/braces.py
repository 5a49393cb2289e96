"""Skeletons of languages with braces: blocks are found by their brackets, and known by the lines before them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .language import Language
from .plan import (
    DETAIL,
    FAILURE,
    FUNCTION,
    IMPORT,
    MEMBER,
    NESTED,
    NOTE,
    STATED,
    STATEMENT,
    TYPE,
    LineNumbers,
    Plan,
    width,
)

_DEEPEST = 4
_REACH = 300
_HEADER_LINES = 16
_WHOLE = 0.6
"""A function that spans more of a file than this is a wrapper, of which the inside is of interest."""
_CONTINUES = re.compile(
    r"[ \t]*(?:[)\]}{:.,&|?=+<>-]|(?:where|extends|implements|throws|permits|returns|noexcept|requires)\b|$)"
)
_LABEL = re.compile(r"[ \t]*\w+(?:[ \t]+\w+)?[ \t]*:")
_ARGUMENT = re.compile(r"[(,][ \t]*$")
_ATTRIBUTE = re.compile(r"[ \t]*(?:@\w|#!?\[|\[[A-Z]\w*)")
_NAMED = re.compile(
    r"^[ \t]*(?:[a-z]{2,9}[ \t]+){0,3}(?:function|class|interface|func|fun|fn|struct|enum|trait|impl)\b"
)
_BANNER = re.compile(r"[/*=#~_-]{8}")
_LETTERS = re.compile(r"\w")
_IMPORTS = 60
_FIRST_FIELDS, _FIELDS = 6, 40
"""So many lines of one run of fields or statements are kept at its start."""


@dataclass(slots=True)
class Block:
    """What is between two braces: the line where its header starts, those of the braces, its depth, its parent."""

    header: int
    opened: int
    closed: int
    depth: int
    parent: int
    argument: bool


def read(text: str, lines: list[str], language: Language) -> Plan:
    """Return the plan of a program."""
    plan = Plan(lines)
    inert = bytearray(len(lines))  # 1: the line starts in a comment, 2: in a string
    blocks = _blocks(text, lines, language, inert)
    hidden = _rank_blocks(plan, blocks, language)
    declared = language.declared(text)
    at = LineNumbers(text)
    imported = [at.of(found.start()) for found in language.importing.finditer(text)]
    at = LineNumbers(text)
    failing = [at.of(place) for place in language.failing_places(text)]
    for line in imported:
        if not inert[line]:
            plan.keep_statement(line, IMPORT, _IMPORTS)
    for line in declared:
        if not inert[line] and (not hidden[line] or _NAMED.search(lines[line][:_REACH])):
            rank = NESTED if hidden[line] else max(plan.ranks[line], MEMBER if lines[line][:1] in " \t" else FUNCTION)
            plan.keep_declaration(line, rank)
    for line in failing:
        if not inert[line]:
            plan.keep_statement(line, FAILURE)
    plan.keep_todos(text)
    _rank_rest(plan, hidden, inert)
    return plan


def _blocks(text: str, lines: list[str], language: Language, inert: bytearray) -> list[Block]:
    """Find the blocks down to some depth, and mark lines that start in a comment or a string."""
    blocks: list[Block] = []
    stack: list[tuple[int, int]] = []  # the block (-1: too deep to be kept) and its indentation
    line, at, since = 0, 0, 0  # the line of a place in the text; the first line since the last brace of this level
    for token in language.tokens.finditer(text):
        start = token.start()
        line += text.count("\n", at, start)
        at = start
        if token.lastindex:
            end = line + text.count("\n", start, token.end())
            mark = 1 if token[1] else 2
            if mark == 1 and not inert[line] and lines[line].lstrip(" \t")[:2] == token[0][:2]:
                inert[line] = 1
            if end > line:
                inert[line + 1 : end + 1] = bytes([mark]) * (end - line)
                if mark == 1 and lines[end].partition("*/")[2].strip():
                    inert[end] = 0
            continue
        if token[0] == "{":
            parent = stack[-1][0] if stack else None
            if len(stack) < _DEEPEST and parent != -1:
                header = _header(lines, line, since)
                column = start - text.rfind("\n", max(start - _REACH, 0), start) - 1
                before = lines[line][max(column - 20, 0) : column]
                stack.append((len(blocks), width(lines[header][:_REACH])))
                blocks.append(
                    Block(
                        header,
                        line,
                        line,
                        len(stack) - 1,
                        -1 if parent is None else parent,
                        bool(_ARGUMENT.search(before)),
                    )
                )
            else:
                stack.append((-1, width(lines[line][:_REACH])))
        elif stack:
            own = lines[line][:_REACH].lstrip(" \t")
            if own.startswith("}"):
                indent = width(lines[line][:_REACH])
                while len(stack) > 1 and stack[-1][1] > indent and stack[-2][1] >= indent:
                    _close(blocks, stack.pop()[0], line)
            _close(blocks, stack.pop()[0], line)
        since = line
    while stack:
        _close(blocks, stack.pop()[0], len(lines) - 1)
    return blocks


def _close(blocks: list[Block], index: int, line: int) -> None:
    if index >= 0:
        blocks[index].closed = max(line, blocks[index].opened)


def _header(lines: list[str], opened: int, since: int) -> int:
    """The line where the header of a block starts, behind the line of the brace before it."""
    best, indent, goes_on = opened, width(lines[opened][:_REACH]), _CONTINUES.match(lines[opened][:_REACH])
    for index in range(opened - 1, max(since, opened - _HEADER_LINES), -1):
        line = lines[index][:_REACH].rstrip()
        if not line or line[-1] in ";{}" or _LABEL.fullmatch(line):
            break
        above = width(line)
        if above > indent and goes_on:
            continue
        if above > indent or (above == indent and not goes_on):
            break
        best, indent, goes_on = index, above, _CONTINUES.match(line)
    return best


def _rank_blocks(plan: Plan, blocks: list[Block], language: Language) -> bytearray:
    """Rank the headers of blocks; return for each line whether it is inside a function or a piece of data."""
    lines = plan.lines
    hidden = bytearray(len(lines))
    inside = [False] * len(blocks)
    for index, block in enumerate(blocks):
        hides = inside[block.parent] if block.parent >= 0 else False
        if not hides and block.closed > block.opened:
            header = "\n".join(line[:_REACH] for line in lines[block.header : block.opened + 1])
            before = header[: header.rfind("{")].rstrip() if "{" in header else header
            wrapper = block.closed - block.opened > _WHOLE * len(lines) and block.depth == 0
            if language.containing.match(before):
                plan.keep(block.header, block.opened, TYPE - min(block.depth, 2))
            elif block.argument and block.closed - block.opened <= _HEADER_LINES and not wrapper:
                plan.keep(block.header, block.closed, MEMBER)
            elif wrapper:
                plan.keep(block.header, block.opened, TYPE)
            else:
                hides = True
                plan.functions.append((block.header, block.closed))
                called = language.declaring.match(before) or before.endswith((")", "=>"))
                plan.keep(block.header, block.opened, (FUNCTION - min(block.depth, 1)) if called else DETAIL)
                hidden[block.opened + 1 : block.closed + 1] = b"\x01" * (block.closed - block.opened)
        inside[index] = hides
    return hidden


def _rank_rest(plan: Plan, hidden: bytearray, inert: bytearray) -> None:
    """Rank what is outside of functions: fields, attributes, and the first line of a comment before a declaration."""
    lines, ranks = plan.lines, plan.ranks
    run = 0
    comment = -1
    for index, line in enumerate(lines):
        text = line[:_REACH]
        if hidden[index]:
            run, comment = 0, -1
        elif inert[index] == 1:
            if comment < 0 and _LETTERS.search(text) and not _BANNER.search(text):
                comment = index
        elif not text.strip():
            comment = -1
        else:
            if ranks[index]:
                run = 0
            elif inert[index] != 2 and _ATTRIBUTE.match(text):
                plan.keep(index, index, DETAIL)
                continue
            elif _LETTERS.search(text):
                run += 1
                if run <= _FIELDS:
                    plan.keep(index, index, STATED if run <= _FIRST_FIELDS else STATEMENT)
            if comment >= 0 and ranks[index]:
                rank = ranks[index]
                plan.keep(comment, comment, STATED if rank == TYPE else min(rank, NOTE))
                plan.notes.add(comment)
            comment = -1
