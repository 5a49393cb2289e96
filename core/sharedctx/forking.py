"""What a forked child must make anew: locks that another thread of the parent may hold, threads, connections."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forked(Protocol):
    """Something that starts over in a child."""

    def after_fork(self) -> None:
        """Make anew what belongs to the parent's threads; called in the child, with no other thread running."""
        ...


_living: weakref.WeakSet[Forked] = weakref.WeakSet()


def renew_after_fork(thing: Forked) -> None:
    """Call ``thing.after_fork()`` in every child that is forked while it lives."""
    _living.add(thing)


def _renew() -> None:
    for thing in list(_living):
        thing.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
