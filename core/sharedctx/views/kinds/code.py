"""Source code: a skeleton of declarations and failures; what functions do is behind references."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..kind import Brief, Draft, Source
from ..skeleton import braces, indents, python, skimmed, statements
from ..skeleton.language import Language
from ..skeleton.names import is_names
from ..skeleton.plan import Plan
from ..skeleton.recognition import recognise
from ..skeleton.selection import select
from ..skeleton.spelling import is_skeleton

_READERS: Mapping[str, Callable[[str, list[str], Language], Plan]] = {
    "python": python.read,
    "braces": braces.read,
    "indents": indents.read,
    "statements": statements.read,
}
_FEWEST_LINES = 8
_CLOSELY = 60
"""Characters of a program for each token of a budget that are read closely."""
_WIDEST = 300
"""A program with more characters to a line was made by a program: its lines say nothing."""


class CodeKind:
    """Programs in any language of the table."""

    name = "code"

    def fits(self, source: Source) -> float:
        """Whether the first lines declare types and functions, and most of them are no prose, log or data."""
        if source.value is not None:
            return 0.0
        found = recognise(source.text)
        return found[1] if found else 0.0

    def shorten(self, source: Source, brief: Brief) -> Draft | None:
        """Signatures, types, imports, constants, first lines of documentation, what fails, and notes of work to do."""
        found = recognise(source.text)
        lines = source.lines
        if found is None or len(lines) < _FEWEST_LINES or len(source.text) > _WIDEST * len(lines):
            return None
        if is_skeleton(lines[0]) or is_names(lines[0]):
            return None
        language = found[0]
        reader = _READERS[language.reader]
        if brief.budget is None or brief.wanted:
            plan = reader(source.text, lines, language)
        else:
            plan = skimmed.read(source.text, lines, language, reader, _CLOSELY * brief.budget)
        return select(plan, language.name, source, brief)


KIND = CodeKind()
