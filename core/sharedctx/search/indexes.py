"""The process's indexes: one for each name and space of an open backend, whoever asks."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable

from ..backends.base import Backend
from ..backends.steps import Steps
from ..forking import renew_after_fork
from .packs import Item
from .vectors import Vectors


class _Indexes:
    """The indexes of the backends that are open in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: weakref.WeakKeyDictionary[Backend, dict[tuple[str, str], Vectors]] = weakref.WeakKeyDictionary()
        renew_after_fork(self)

    def after_fork(self) -> None:
        self._lock = threading.Lock()

    def find(
        self,
        backend: Backend,
        space: str,
        name: str,
        lives: Callable[[str], Steps[bool]],
        labels: Callable[[Item], Iterable[str]],
    ) -> Vectors:
        with self._lock:
            held = self._held.setdefault(backend, {})
            if (space, name) not in held:
                held[space, name] = Vectors(space, name, lives, labels)
            return held[space, name]


_indexes = _Indexes()


def index(
    backend: Backend,
    space: str,
    name: str,
    lives: Callable[[str], Steps[bool]],
    labels: Callable[[Item], Iterable[str]],
) -> Vectors:
    """Return the process's one index of this name over a space, whoever asks first; the functions must not hold the
    backend."""
    return _indexes.find(backend, space, name, lives, labels)
