"""One call that puts a store behind everything that crewai keeps by default."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sharedctx import SharedContext, Store
from sharedctx.extras import extra
from sharedctx.opening import Opening

from .records import lifetimes

if TYPE_CHECKING:
    from .flows import ContextFlowPersistence
    from .knowledge import ContextKnowledge
    from .memory import ContextMemory


_Factories = tuple[Any, Any, Any]
_originals: list[_Factories] = []
_installed: list[tuple[object, _Factories]] = []
_lock = threading.RLock()


class Installed:
    """What ``install`` set; ``undo`` takes it back, in whatever order of several. A context manager."""

    def __init__(self, opening: Opening, undo: Callable[[], None]) -> None:
        self._opening = opening
        self._undo: Callable[[], None] | None = undo

    def undo(self) -> None:
        """Give crewai back the factories it had and close a store that ``install`` opened."""
        if self._undo is not None:
            self._undo()
            self._undo = None
            self._opening.close()

    def __enter__(self) -> Installed:
        return self

    def __exit__(self, *_: object) -> None:
        self.undo()


def install(
    store: Store | SharedContext | str | os.PathLike[str] | None = None,
    *,
    url: str | None = None,
    session: str | None = None,
    ttl: float | Mapping[str, float] | None = None,
) -> Installed:
    """Keep the memory, knowledge and flow states of this process in one store, where crewai is not told otherwise.

    ``store`` is an opened one, a ``SharedContext`` or a path. Binds what is made from now on; an explicit ``storage=``
    or ``persistence=`` wins. ``ttl`` is that of ``ContextMemory``. Raises ``ConfigError``, ``InvalidValue``.
    """
    with extra("crewai", "crewai on a shared store"):
        from crewai.flow.persistence import factory as flows
        from crewai.knowledge.storage import factory as knowledge
        from crewai.memory.storage import factory as memory

    lifetimes(ttl)  # what is wrong with it is told here
    path = store if isinstance(store, str | os.PathLike) else None
    given = None if isinstance(store, str | os.PathLike) else store
    opening = Opening(given, path=path, url=url)
    context = opening.context(session)

    def new_memory(spec: str) -> ContextMemory:
        from .memory import ContextMemory

        return ContextMemory(context, ttl=ttl)

    def new_knowledge(embedder: Any, collection: str | None) -> ContextKnowledge:
        from .knowledge import ContextKnowledge

        return ContextKnowledge(context, collection=collection or "default", embedder=embedder)

    def new_flows() -> ContextFlowPersistence:
        from .flows import ContextFlowPersistence

        return ContextFlowPersistence(context)

    def bind(factories: _Factories) -> None:
        memory.set_memory_storage_factory(factories[0])
        knowledge.set_knowledge_storage_factory(factories[1])
        flows.set_flow_persistence_factory(factories[2])

    mark = object()

    def undo() -> None:
        with _lock:
            last = _installed[-1][0] is mark
            _installed[:] = [each for each in _installed if each[0] is not mark]
            if last:
                bind(_installed[-1][1] if _installed else _originals[0])

    with _lock:
        if not _installed:
            _originals[:] = [(memory._factory, knowledge._factory, flows._factory)]
        _installed.append((mark, (new_memory, new_knowledge, new_flows)))
        bind(_installed[-1][1])
    return Installed(opening, undo)
