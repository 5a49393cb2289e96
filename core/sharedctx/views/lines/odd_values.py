"""Lines of one template that differ from the others by a rare word or by a number far above the rest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_LEAST = 20
_WORDS = 24
_FEW = 12
_RARE = 0.02
_FAR = 4
_MOST = 4
_AMOUNT = re.compile(r"[^\d\s]{0,24}?(\d{1,12}(?:\.\d{1,9})?)[^\d\s]{0,8}")
_PLACE = 0.9


def odd_lines(lines: Sequence[str], places: Sequence[int]) -> list[int]:
    """Return the places, of those of one template, whose lines have a word that hardly any other has where the others
    share few words, or a number that is some times as large as nearly all others. Bounded in number."""
    size = len(places)
    if size < _LEAST:
        return []
    rows = [lines[place].split(" ", _WORDS)[:_WORDS] for place in places]
    width = min(map(len, rows))
    found: list[int] = []
    for words in zip(*(row[:width] for row in rows), strict=True):
        times = Counter(words)
        if len(times) == 1:
            continue
        if len(times) <= _FEW:
            rare = [word for word, number in times.items() if number <= max(1, _RARE * size)]
            firsts = sorted(words.index(word) for word in rare)
            found += [at for at in firsts if at and words[at] != words[-1]]  # at an end it is a day or an hour begun
        elif (far := _far(words)) is not None:
            found.append(far)
    return [places[at] for at in list(dict.fromkeys(found))[:_MOST]]


def _far(words: Sequence[str]) -> int | None:
    """Where the number stands that is far above the others, if the words are amounts of one form."""
    first = _AMOUNT.fullmatch(words[0])
    if first is None:
        return None
    amounts = []
    for word in words:
        amount = _AMOUNT.fullmatch(word)
        if amount is None:
            return None
        amounts.append(float(amount[1]))
    usual = sorted(amounts)[int(_PLACE * len(amounts))]
    most = max(amounts)
    return amounts.index(most) if usual > 0 and most > _FAR * usual else None
