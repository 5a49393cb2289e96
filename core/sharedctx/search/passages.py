"""A text divided into passages that a search can point at."""

from __future__ import annotations

from dataclasses import dataclass

LINES = 20
CHARACTERS = 1500


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a text and the reference that ``expand`` redeems it by."""

    ref: str
    text: str


def passages(text: str) -> list[Passage]:
    """Divide a text into runs of at most 20 lines and about 1,500 characters; a longer line goes into pieces.

    Together they cover the text; pieces of a long line end at a space where there is one near.
    """
    found: list[Passage] = []
    held: list[str] = []
    size = at = 0
    first = 1

    def flush(following: int) -> None:
        nonlocal held, size, first
        if held:
            found.append(Passage(f"lines:{first}-{following - 1}", "\n".join(held)))
        held, size, first = [], 0, following

    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > 2 * CHARACTERS:
            flush(number)
            found += _pieces(line, at)
            first = number + 1
        else:
            if len(held) == LINES or size + len(line) > CHARACTERS:
                flush(number)
            held.append(line)
            size += len(line)
        at += len(line) + 1
    flush(text.count("\n") + 2)
    return found


def _pieces(line: str, start: int) -> list[Passage]:
    found = []
    a = 0
    while a < len(line):
        b = min(a + CHARACTERS, len(line))
        if b < len(line):
            space = line.rfind(" ", a + CHARACTERS // 2, b)
            b = space + 1 if space > 0 else b
        found.append(Passage(f"chars:{start + a}-{start + b}", line[a:b]))
        a = b
    return found
