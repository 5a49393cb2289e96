"""Skeletons of Python programs, by the ``ast`` module."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence
from threading import Lock

from . import indents
from .language import Language
from .plan import DETAIL, FAILURE, FUNCTION, IMPORT, MEMBER, NESTED, STATED, STATEMENT, TYPE, Plan

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LONGEST = 8
_SHORT = 3
_LARGEST = 3_000_000
"""Characters; a tree takes a hundred times as much."""
_FILTERS = Lock()
"""Python warns of odd escapes in what it parses, which is no business of the reader's program; filters are global."""


def read(text: str, lines: list[str], language: Language) -> Plan:
    """Return the plan of a program; one that does not parse is read by its indentation."""
    tree = _parse(text)
    if tree is None:
        return indents.read(text, lines, language)
    plan = Plan(lines)
    _Walk(plan).module(tree)
    plan.keep_todos(text)
    if text.startswith("#!"):
        plan.keep(0, 0, DETAIL)
    return plan


def _parse(text: str) -> ast.Module | None:
    if len(text) > _LARGEST:
        return None
    if text.count("\r") != text.count("\r\n") or "\f" in text:  # ends of lines to ast, not to references
        return None
    try:
        with _FILTERS, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


class _Walk:
    """Visits the statements of a program, not its expressions; without recursion, for long chains of ``elif``."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._rest: list[tuple[Sequence[ast.stmt], int, bool]] = []

    def module(self, tree: ast.Module) -> None:
        """Rank all statements."""
        self._docstring(tree.body)
        self._rest.append((tree.body, 0, False))
        while self._rest:
            body, depth, inside = self._rest.pop()
            for statement in body:
                self._statement(statement, depth, inside)

    def _statement(self, node: ast.stmt, depth: int, inside: bool) -> None:
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            first = min([first, *(each.lineno - 1 for each in node.decorator_list)])
            is_class = isinstance(node, ast.ClassDef)
            rank = NESTED if inside else TYPE - min(depth, 1) if is_class else FUNCTION if depth == 0 else MEMBER
            self._plan.keep(first, self._header_end(node.lineno - 1, node.body), rank)
            self._docstring(node.body)
            if not is_class:
                self._plan.functions.append((first, last))
            self._rest.append((node.body, depth + 1, inside or not is_class))
        elif isinstance(node, ast.Raise):
            self._plan.keep(first, min(last, first + _LONGEST), FAILURE)
        elif bodies := list(_bodies(node)):
            if not inside:
                self._plan.keep(first, self._header_end(first, bodies[0]), STATED)
            self._rest += [(body, depth, inside) for body in bodies]
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self._plan.keep(first, last, IMPORT)
        elif not inside and not _is_text(node):
            rank = STATED if isinstance(node, ast.Assign | ast.AnnAssign) else STATEMENT
            self._plan.keep(first, last if last - first < _SHORT else first, rank)

    def _header_end(self, first: int, body: Sequence[ast.stmt]) -> int:
        """The last line before a body, or the line itself where the body starts on it."""
        decorators: list[ast.expr] = getattr(body[0], "decorator_list", [])
        last = max(min([body[0].lineno, *(each.lineno for each in decorators)]) - 2, first)
        while last > first and self._plan.lines[last].lstrip(" \t")[:1] in ("", "#", "\r"):
            last -= 1
        return last

    def _docstring(self, body: Sequence[ast.stmt]) -> None:
        if body and _is_text(body[0]):
            first, last = body[0].lineno - 1, (body[0].end_lineno or body[0].lineno) - 1
            bare = len(self._plan.lines[first].strip()) < 5
            self._plan.keep(first, min(first + bare, last), DETAIL)


def _bodies(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        body = getattr(node, name, None)
        if body:
            yield body
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield part.body


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
