"""What a forked child must make anew: locks that another thread of the parent may hold, threads, connections."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import weakref
from typing import Protocol

late_imports = threading.RLock()  # hold it to import a package of others when it is first needed, in whatever thread


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


def _before() -> None:
    """Wait until no other thread is within an import: a child would inherit its lock, held for ever."""
    late_imports.acquire()
    for name in list(sys.modules):
        if name.startswith("sharedctx"):
            importlib.import_module(name)


def _after_in_child() -> None:
    late_imports.release()
    _renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=late_imports.release, after_in_child=_after_in_child)
