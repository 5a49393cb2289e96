"""The parts of a JSON value that an outline may show: those near the top and the start first, up to so many."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from operator import attrgetter
from typing import Any

_MOST_PARTS, _MOST_MEMBERS = 60, 400
"""Of a longer array or object so many are looked at, evenly taken."""
_DEEPER, _LATER, _LATER_NAMED = 0.9, 0.08, 0.03
"""How much less a part tells for each level that it is deeper, for each part before it in an array or an object."""
_NONE: frozenset[Any] = frozenset()
_PLACE = attrgetter("place")

Path = tuple[Any, ...]


class Reached:
    """A part: its place and its name where it lies, how much it tells of the whole, its path if that may lead to a part
    that was found, and the parts in it that were reached, in their order."""

    __slots__ = ("inner", "name", "part", "path", "place", "share")

    def __init__(self, part: Any, place: int, name: Any, share: float, path: Path | None) -> None:
        self.part = part
        self.place = place
        self.name = name
        self.share = share
        self.path = path
        self.inner: list[Reached] = []


def reach(value: Any, found: Iterable[Path], most: float = math.inf) -> Reached:
    """Return a value with about the ``most`` parts that tell most of it, and those on the way to what was found."""
    on_way: dict[Path, set[Any]] = {}
    for path in found:
        for size in range(len(path)):
            on_way.setdefault(path[:size], set()).add(path[size])
    root = Reached(value, 0, "", 1.0, ())
    waiting: list[tuple[float, int, Reached, Iterator[Reached]]] = []
    left, turn = most, 0

    def opened(above: Reached) -> None:
        """Let the parts of one wait for their turn, but for those on the way, which are taken."""
        nonlocal turn
        pending = [above]
        while pending:
            above = pending.pop()
            also = on_way.get(above.path, _NONE) if above.path is not None else _NONE
            parts = _parts(above, also)
            if also:
                every = list(parts)
                above.inner += [part for part in every if part.path is not None]
                pending += [part for part in above.inner if _holds(part.part)]
                parts = iter([part for part in every if part.path is None])
            turn += 1
            heappush(waiting, (-_DEEPER * above.share, turn, above, parts))

    opened(root)
    while waiting and left > 0:
        _, _, above, parts = heappop(waiting)
        for part in parts:  # as long as they tell more than what waits
            above.inner.append(part)
            left -= 1
            if _holds(part.part):
                opened(part)
            if left <= 0 or (waiting and part.share < -waiting[0][0]):
                turn += 1
                heappush(waiting, (-part.share, turn, above, parts))
                break
    _in_order(root)
    return root


def _parts(above: Reached, also: set[Any] | frozenset[Any]) -> Iterator[Reached]:
    """The parts of an array or an object to look at, those that tell more first: all, or some from the start to the end
    and those ``also``."""
    part, path = above.part, above.path
    named = type(part) is dict
    names = list(part) if named else range(len(part))
    most, later = (_MOST_MEMBERS, _LATER_NAMED) if named else (_MOST_PARTS, _LATER)
    last = len(names) - 1
    places: Iterable[int] = range(last + 1)
    if last >= most:
        step = last / (most - 1)
        places = sorted(
            {*(round(step * at) for at in range(most)), *(at for at in places if also and names[at] in also)}
        )
    if not named and last > 1:
        places = dict.fromkeys((0, last, *places))
    share = _DEEPER * above.share
    for place in places:
        name = names[place]
        told = share / (1 + later * (1 if not named and place == last and last else place))
        yield Reached(part[name], place, name, told, (*path, name) if path is not None and name in also else None)


def _in_order(root: Reached) -> None:
    pending = [root]
    while pending:
        inner = pending.pop().inner
        inner.sort(key=_PLACE)
        pending += inner


def _holds(value: Any) -> bool:
    return type(value) is dict or type(value) is list
