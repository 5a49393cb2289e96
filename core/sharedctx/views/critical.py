"""What a view must not lose: lines of errors, words that stand once, what a query asks for."""

from __future__ import annotations

import re
import zlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from ..lazy import lazy
from .fulltext import Unit, divide, search
from .kind import Source
from .pieces import fold, notable
from .text import word_end, word_start
from .vocabulary import runs_in

_SEVERE = re.compile(
    r"\b(?:ERROR|FATAL|CRITICAL|SEVERE|PANIC|EMERG|FAILED)\b|\b[A-Z]\w{0,80}(?:Error|Exception): "
    r"|^\s{0,80}(?:error|fatal|panic)\b[:\[( ]|\blevel=(?:error|fatal|crit)"
    r'|"(?:level|severity|status|state)" ?: ?"(?:error|fatal|critical|failed)"',
)
_TERM = re.compile(r"[^\W\d]{3,40}")
_SHORTEST, _LONGEST = 4, 40
"""Letters of a rare word, which is no run of letters in a hash or in another name."""
_NUMBER = re.compile(r"\d+")
_MOST_ERRORS, _MOST_RARE, _MOST_WANTED = 30, 30, 5
_LINE, _WINDOW, _NEAR = 400, 150, 400
_SCANNED, _TERMS, _PLACES = 1000, 30, 50
_SAMPLE = 16_384
_REPETITIVE = 0.2


class Critical:
    """Finds what stands in a source and not in a view of it; linear in both."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def missing(self, view: str) -> list[Unit]:
        """Return the lines of severe errors (one of each sort, the rarest sorts) and of rare words that ``view`` lacks.

        Rare words are looked at only where they are few: in a text that repeats itself.
        """
        seen = _Seen(view)
        return [unit for unit in dict.fromkeys([*self._errors(), *self._rare(seen)]) if not seen.has(unit.text)]

    def asked(self, view: str, wanted: Sequence[str]) -> list[Unit]:
        """Return the units that answer the query best and are not in the view."""
        units = divide(self._source.text, self._source.value)
        best = [units[index] for index in search(units, " ".join(wanted), _MOST_WANTED)]
        seen = _Seen(view)
        missing = []
        for unit in best:
            found = [word for word in wanted if word in fold(unit.text)]
            if unit.text not in view and not (seen.near(found) and seen.has(unit.text)):
                missing.append(unit)
        return missing

    def _errors(self) -> list[Unit]:
        text = self._source.text
        sorts: dict[str, tuple[int, int]] = {}
        number: Counter[str] = Counter()
        lines: set[str] = set()
        for start, end in notable(fold(text)):
            line = text[start : min(end, start + _SCANNED)]
            severe = None if line in lines else _SEVERE.search(line)
            lines.add(line)
            if severe is not None:
                sort = _NUMBER.sub("#", line[:300])
                number[sort] += 1
                sorts.setdefault(sort, (start, start + severe.start()))
        rarest = sorted(sorts, key=lambda sort: (number[sort], sorts[sort]))[:_MOST_ERRORS]
        return [self._unit(at) for _, at in sorted(sorts[sort] for sort in rarest)]

    def _rare(self, seen: _Seen) -> Iterator[Unit]:
        text = self._source.text
        middle = len(text) // 2
        sample = (text[:_SAMPLE] + text[middle : middle + _SAMPLE]).encode("utf-8", "replace")
        if len(zlib.compress(sample, 1)) > _REPETITIVE * len(sample):
            return
        once = []
        for word, number in runs_in(text).items():
            if number == 1 and _SHORTEST <= len(word) <= _LONGEST and not any(map(str.isdecimal, word)):
                once.append(word)
                if len(once) > _MOST_RARE:
                    return
        for word in once:
            if word not in seen.places:
                yield self._unit(text.find(word))

    def _unit(self, at: int) -> Unit:
        """The line around a place, or of a long line the words near it."""
        text = self._source.text
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        end = len(text) if end < 0 else end
        if end - start <= _LINE:
            return Unit(str(text.count("\n", 0, start) + 1), text[start:end])
        a = word_start(text, max(start, at - _WINDOW))
        b = max(word_end(text, min(end, at + _WINDOW)), a)
        return Unit(f"chars {a}-{b}", text[a:b])


class _Seen:
    """The words of a view and where they stand."""

    def __init__(self, view: str) -> None:
        self._view = view

    @lazy
    def places(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = {}
        for found in _TERM.finditer(self._view):
            places.setdefault(found[0], []).append(found.start())
        return places

    @lazy
    def _low(self) -> str:
        return fold(self._view)

    def has(self, text: str) -> bool:
        """Whether most of a piece's words stand near each other; the rarer in the view, the more a word counts."""
        terms = {term: self.places.get(term, []) for term in _TERM.findall(text)[:_TERMS]}
        if not terms:
            return text.strip() in self._view
        weights = {term: 1 / (1 + len(places)) for term, places in terms.items()}
        enough = 0.5 * sum(weights.values())
        rarest = sorted((places for places in terms.values() if places), key=len)[:3]
        return any(
            sum(weights[term] for term, places in terms.items() if _near(places, at)) >= enough
            for base in rarest
            for at in base[:_PLACES]
        )

    def near(self, wanted: Sequence[str]) -> bool:
        """Whether words in lower case, which may be parts of words, all stand near each other."""
        places = [
            [found.start() for found in islice(re.finditer(re.escape(word), self._low), _PLACES)] for word in wanted
        ]
        return not places or any(all(_near(other, at) for other in places) for at in min(places, key=len))


def _near(places: list[int], at: int) -> bool:
    index = bisect_left(places, at - _NEAR)
    return index < len(places) and places[index] <= at + _NEAR
