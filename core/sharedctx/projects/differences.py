"""Differences between states of a project, by top-level keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import InvalidValue
from ..lazy import lazy
from .state import State, joined, pair, quoted

LISTS = ("added", "modified", "removed", "unchanged")
_LISTS = frozenset(LISTS)
_FRAME = len('{"added":{},"modified":{},"removed":[],"unchanged":[]}')


class Difference:
    """What changed: pairs that came, pairs that are another value now, names that went, names that stayed.

    A name stands in one of them only.
    """

    def __init__(
        self,
        added: Mapping[str, bytes],
        modified: Mapping[str, bytes],
        removed: tuple[str, ...],
        unchanged: tuple[str, ...] = (),
    ) -> None:
        self.added = added
        self.modified = modified
        self.removed = removed
        self.unchanged = unchanged

    @staticmethod
    def parse(given: Any) -> Difference:
        """Read ``{added: {}, modified: {}, removed: [], unchanged: []}``, each of which may be missing.

        Raises ``InvalidValue`` for anything else, and for a name in two of the lists.
        """
        if not isinstance(given, dict):
            raise InvalidValue(f"a diff is a JSON object with {', '.join(LISTS)}, not {type(given).__name__}")
        if not given.keys() <= _LISTS:
            name = next(name for name in given if name not in _LISTS)
            raise InvalidValue(f"a diff has {', '.join(LISTS)}, and no {name!r:.80}")
        added, modified = _object("added", given.get("added")), _object("modified", given.get("modified"))
        removed, unchanged = _names("removed", given.get("removed")), _names("unchanged", given.get("unchanged"))
        return Difference.checked(
            {name: pair(name, value) for name, value in added.items()},
            {name: pair(name, value) for name, value in modified.items()},
            removed,
            unchanged,
        )

    @staticmethod
    def checked(
        added: Mapping[str, bytes],
        modified: Mapping[str, bytes],
        removed: tuple[str, ...] = (),
        unchanged: tuple[str, ...] = (),
    ) -> Difference:
        """Return the difference of these lists; raises ``InvalidValue`` for a name in two of them."""
        if removed or unchanged or (added and modified):
            names = [*added, *modified, *removed, *unchanged]
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise InvalidValue(f"{twice!r:.80} stands twice in the diff: a name is in one list only")
        return Difference(added, modified, removed, unchanged)

    @staticmethod
    def between(old: State, new: State) -> Difference:
        """Return what turns ``old`` into ``new``."""
        before = old.pairs
        added, modified, unchanged = {}, {}, []
        for name, value in new.pairs.items():
            had = before.get(name)
            if had is None:
                added[name] = value
            elif had != value:
                modified[name] = value
            else:
                unchanged.append(name)
        gone = tuple(sorted(name for name in before if name not in new.pairs))
        return Difference(added, modified, gone, tuple(sorted(unchanged)))

    def apply(self, old: State) -> State:
        """Return the state after this difference; raises ``InvalidValue`` where it does not fit ``old``."""
        pairs = dict(old.pairs)
        if not self.modified.keys() <= pairs.keys():
            raise _unfit(next(name for name in self.modified if name not in pairs), "modified")
        for name in self.removed:
            if name not in pairs:
                raise _unfit(name, "removed")
        pairs.update(self.added)
        pairs.update(self.modified)
        for name in self.removed:
            del pairs[name]
        return State(pairs)

    def __bool__(self) -> bool:
        return bool(self.added or self.modified or self.removed)

    @staticmethod
    def size(old: State, new: State) -> int:
        """Return the bytes of what turns ``old`` into ``new``, encoded, without making it."""
        before, after = old.pairs, new.pairs
        size, added, modified = _FRAME, 0, 0
        for name, value in after.items():
            had = before.get(name)
            if had == value:
                size += len(quoted(name))
                continue
            size += len(value)
            if had is None:
                added += 1
            else:
                modified += 1
        unchanged = len(after) - added - modified
        removed = len(before) - modified - unchanged
        if removed:
            size += sum([len(quoted(name)) for name in before if name not in after])
        return size + sum([names - 1 for names in (added, modified, removed, unchanged) if names])  # the commas

    @lazy
    def encoded(self) -> bytes:
        """This difference as JSON."""
        parts = (joined(self.added), joined(self.modified), _array(self.removed), _array(self.unchanged))
        return b'{"added":%b,"modified":%b,"removed":%b,"unchanged":%b}' % parts


def _array(names: Iterable[str]) -> bytes:
    return b"[%b]" % b",".join([quoted(name) for name in names])


def _unfit(name: str, what: str) -> InvalidValue:
    return InvalidValue(f"the diff has {name!r:.80} under {what}, and the context has no such name")


def _object(name: str, found: Any) -> dict[str, Any]:
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InvalidValue(f"{name} of a diff is a JSON object, not {type(found).__name__}")
    return found


def _names(name: str, found: Any) -> tuple[str, ...]:
    if found is None:
        return ()
    if not isinstance(found, list | tuple) or not all(isinstance(each, str) for each in found):
        raise InvalidValue(f"{name} of a diff is a list of names")
    return tuple(found)
