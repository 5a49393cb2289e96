"""Facts: what a view of an item should still show, as tokens that stand near each other."""

from __future__ import annotations

import bisect
import json
import random
import re
import string
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

WINDOW = 600
"""Characters within which the tokens of a short fact must stand; a long fact may spread over three times its length."""
_WORD = frozenset(string.ascii_letters + string.digits + "_")
_TOKEN = re.compile(r"[A-Za-z0-9_](?:[\w.-]*[A-Za-z0-9_])?", re.ASCII)
_TOGETHER = {
    "json-registry": "json-api", "jsonl": "json-rows", "stacktrace": "log", "listing": "grep",
    "code-py": "code", "code-go": "code", "code-ts": "code", "code-rs": "code",
}  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """A piece of an item, chosen before any view is made; critical ones are what a reader acts on."""

    piece: str
    category: str
    critical: bool = False


@dataclass(frozen=True)
class Needle:
    """A fact as tokens: all of ``near`` within ``window`` characters of each other, all of ``any`` anywhere."""

    near: tuple[str, ...]
    any: tuple[str, ...] = ()
    window: int = WINDOW
    category: str = "lookup"
    critical: bool = False

    def stands_in(self, text: str) -> bool:
        """Whether the fact can be read in ``text``; tokens count on word boundaries only."""
        places = [_places(token, text) for token in self.near]
        if not all(places) or not all(_places(token, text) for token in self.any):
            return False
        rarest = min(places, key=len)
        return any(all(_within(each, at, self.window) for each in places) for at in rarest)

    def stretch(self, text: str) -> tuple[int, int]:
        """The shortest stretch of ``text`` that holds all of ``near``; an empty one where there is none."""
        found = sorted((at, token) for token in dict.fromkeys(self.near) for at in _places(token, text))
        best, held, first = (0, len(text) + 1), Counter[str](), 0
        for at, token in found:
            held[token] += 1
            while held[found[first][1]] > 1:
                held[found[first][1]] -= 1
                first += 1
            if len(held) == len(set(self.near)) and at + len(token) - found[first][0] < best[1] - best[0]:
                best = (found[first][0], at + len(token))
        return best if best[1] <= len(text) else (0, 0)

    @property
    def words(self) -> str:
        """What someone who looks for the fact would search."""
        return " ".join((*self.near, *self.any))


@dataclass
class Item:
    """One text of the material, its kind, and the facts in it."""

    name: str
    kind: str
    text: str
    needles: list[Needle] = field(default_factory=list)


def item(name: str, kind: str, text: str, facts: Iterable[Fact]) -> Item:
    """Return an item whose needles are the facts that can be told apart by their rarest tokens."""
    counts = Counter(_TOKEN.findall(text))
    found: dict[tuple[str, ...], Needle] = {}
    for fact in facts:
        tokens = dict.fromkeys(token for token in _TOKEN.findall(fact.piece) if token in counts)
        ranked = sorted(tokens, key=lambda token: (counts[token], -len(token)))[:5]
        if not ranked or (not fact.critical and counts[ranked[0]] > 3):
            continue
        window = max(WINDOW, 3 * len(fact.piece))
        needle = Needle(tuple(ranked[:3]), tuple(ranked[3:]), window, fact.category, fact.critical)
        if needle.stands_in(text):
            found.setdefault(needle.near, needle)
    return Item(name, kind, text, list(found.values()))


def sample(made: random.Random, pieces: Sequence[str], count: int = 12) -> list[Fact]:
    """Return look-up facts: some of the pieces by chance, those without a word left out."""
    usable = [piece for piece in pieces if len(piece.strip()) > 8]
    return [Fact(piece, "lookup") for piece in made.sample(usable, min(count, len(usable)))]


def critical(category: str, pieces: Iterable[str], most: int = 12) -> list[Fact]:
    """Return critical facts of one category, evenly taken when there are more than ``most``."""
    known = list(dict.fromkeys(piece for piece in pieces if piece.strip()))
    step = max(len(known) / most, 1)
    return [Fact(known[int(at * step)], category, critical=True) for at in range(min(most, len(known)))]


def given(corpus: Path, needles: Path) -> list[Item]:
    """Read a folder of texts with its ``manifest.json`` (name and kind of each) and a file of needles."""
    known: Mapping[str, list[Needle]] = defaultdict(list)
    for each in json.loads(needles.read_text(encoding="utf-8")):
        needle = Needle(tuple(each["near"]), tuple(each["any"]), each["win"], each["cat"], each["crit"])
        known[each["item"]].append(needle)
    items = []
    for each in json.loads((corpus / "manifest.json").read_text(encoding="utf-8")):
        text = (corpus / each["name"]).read_bytes().decode("utf-8")
        items.append(Item(each["name"], _TOGETHER.get(each["kind"], each["kind"]), text, known[each["name"]]))
    return items


def _places(token: str, text: str) -> list[int]:
    """Where the token stands on word boundaries; without patterns, which would push a view's out of re's cache."""
    found, at = [], text.find(token)
    while at >= 0:
        end = at + len(token)
        if text[at - 1 : at] not in _WORD and text[end : end + 1] not in _WORD:
            found.append(at)
            at = text.find(token, end)
        else:
            at = text.find(token, at + 1)
    return found


def _within(places: Sequence[int], at: int, window: int) -> bool:
    nearest = bisect.bisect_left(places, at - window)
    return nearest < len(places) and places[nearest] <= at + window
