"""Plain text: head, tail and lines that matter; a text of few long lines is cut by characters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .pieces import assemble, select
from .view import Marks


def shorten(
    text: str, budget: int, count: Callable[[str], int], wanted: Sequence[str], marks: Marks
) -> tuple[str, list[str]]:
    """Return a text of about ``budget`` tokens and its references; lines are divided at ``\\n`` alone."""
    lines = text.split("\n")
    marker = count(marks.omitted("lines 100000-100000", "lines:100000-100000")) + 1
    if len(lines) > 3:
        chosen = select(lines, budget - marker, count, wanted, marker)
        if chosen:
            pieces, refs = assemble(lines, chosen, marks, "lines", 1)
            return "\n".join(pieces), refs
    return cut(text, budget - marker, count, marks)


def cut(text: str, budget: int, count: Callable[[str], int], marks: Marks) -> tuple[str, list[str]]:
    """Keep the start and the end by characters, with a ``chars`` reference between them."""
    whole = max(count(text), 1)
    keep = max(int(len(text) * max(budget, 0) / whole * 0.8), 0)
    a, b = keep * 2 // 3, len(text) - keep // 3
    if a >= b:
        return text, []
    ref = f"chars:{a}-{b}"
    return f"{text[:a]}{marks.omitted(f'characters {a}-{b}', ref)}{text[b:]}", [marks.ref(ref)]
