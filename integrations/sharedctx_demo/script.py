"""What a model would do, written down once for every framework: calls of tools, and what is made of their answers."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

_TEXT = r'("(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")'  # what JSON takes, and nothing else
_MARKER = re.compile(rf"expand\({_TEXT}, {_TEXT}\)")
_BOARD = re.compile(r"board v(\d+)")
ATTEMPTS = 50


class Call(NamedTuple):
    """One call of a tool: the shared context's (``read``, ``expand``, ``write``) or ``read_source``."""

    tool: str
    arguments: dict[str, Any]


Play = Generator[list[Call], list[str], str]
"""Yields calls to make at once, is sent their answers, and returns the last words."""


class Script:
    """Plays a model turn by turn."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self._begun = False

    def turn(self, answers: Sequence[str]) -> list[Call] | str:
        """Return the next calls, or the last words, after these answers to the calls before."""
        try:
            if self._begun:
                return self._play.send(list(answers))
            self._begun = True
            return next(self._play)
        except StopIteration as end:
            return str(end.value)


OUTPUTS = "output/"
"""Below it lies what frameworks' results were offloaded to."""


def marker(view: str, below: str) -> Call | None:
    """The first omission of a view as the call that redeems it, copied from the text as a model would.

    ``below`` is the key whose view it is, or how such keys begin: a text may speak of other keys' references.
    """
    for found in _MARKER.finditer(view):
        key, ref = json.loads(found[1]), json.loads(found[2])
        if key.startswith(below):
            return Call("expand", {"key": key, "ref": ref})
    return None


def redeem(key: str, view: str) -> Call:
    """The call that redeems the first omission of a view, or reads the whole where nothing was left out."""
    return marker(view, key) or Call("expand", {"key": key, "ref": "all"})


def colleague(own: str, said: str, upstream: str) -> Play:
    """Read another agent's report, expand what its view leaves out, write a conclusion, sign the board."""
    (view,) = yield [Call("read", {"key": upstream, "max_tokens": 400})]
    (piece,) = yield [redeem(upstream, view)]
    learned = next((line.strip() for line in piece.splitlines() if any(map(str.isalnum, line))), "nothing")
    conclusion = f"{said}; read {upstream}, expanded {len(piece)} characters, the first line: {_cut(learned)}"
    yield [Call("write", {"key": f"conclusion/{own}", "value": conclusion})]
    yield from sign(own)
    return conclusion


def _cut(line: str) -> str:
    """At most 160 characters, and no part of a word."""
    return line if len(line) <= 160 else line[: re.search(r".*\W|", line[:160], re.DOTALL).end()]  # type: ignore[union-attr]


def sign(own: str) -> Generator[list[Call], list[str], None]:
    """Add one line to the board that all write to, onto the version that was read; again if another was faster."""
    for _ in range(ATTEMPTS):
        (heard,) = yield [Call("read", {"key": "board"})]
        head, _, text = heard.partition("\n")
        found = _BOARD.match(head)
        lines = [line for line in text.splitlines() if line.startswith("- ")] if found else []
        board = "\n".join([*lines, f"- {own} is done"])
        version = int(found[1]) if found else 0
        (heard,) = yield [Call("write", {"key": "board", "value": board, "expected_version": version})]
        if "VERSION_CONFLICT" not in heard:
            return
