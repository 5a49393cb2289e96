"""The words of a text and how often each stands there, counted some two times faster than by a pattern."""

from __future__ import annotations

import re
from collections import Counter

_JOINING = ".-"
_STRETCH = 10_000
"""Characters."""
_WORD = re.compile(r"\w(?:[\w.-]*\w)?")
_RUN = re.compile(r"\w+")
_BLANK = ord(" ")
_RUNS = bytes(byte if byte > 127 or chr(byte).isalnum() or chr(byte) == "_" else _BLANK for byte in range(256))
_WORDS = bytes(byte if chr(byte) in _JOINING else _RUNS[byte] for byte in range(256))


def sample(text: str) -> str:
    """A text, or of a long one three stretches that tell how frequent words are in it."""
    if len(text) <= 3 * _STRETCH:
        return text
    middle = (len(text) - _STRETCH) // 2
    return f"{text[:_STRETCH]} {text[middle : middle + _STRETCH]} {text[-_STRETCH:]}"


def words_in(text: str) -> Counter[str]:
    """How often each word stands: letters, digits and ``_`` in a row, with points and dashes between them."""
    found = _divided(text, _WORDS)
    for word in [word for word in found if word[0] in _JOINING or word[-1] in _JOINING or not word.isascii()]:
        times = found.pop(word)
        for part in _WORD.findall(word):
            found[part] += times
    return found


def runs_in(text: str) -> Counter[str]:
    """How often each run of letters, digits and ``_`` stands."""
    found = _divided(text, _RUNS)
    for run in [run for run in found if not run.isascii()]:
        times = found.pop(run)
        for part in _RUN.findall(run):
            found[part] += times
    return found


def _divided(text: str, kept: bytes) -> Counter[str]:
    """The text divided at blanks and at what is ASCII and not kept."""
    return Counter(text.encode("utf-8", "surrogatepass").translate(kept).decode("utf-8", "surrogatepass").split())
