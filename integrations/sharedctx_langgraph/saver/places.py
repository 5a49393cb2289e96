"""Where a checkpoint lies: thread, namespace and id of LangGraph's config, and the space and partition they mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sharedctx.errors import InvalidKey

THREADS = "thread:"
NAMESPACE = "c:"


def space_of(thread: str) -> str:
    """The space that holds a thread."""
    return f"{THREADS}{thread}"


def partition_of(namespace: str) -> str:
    """The partition that holds the checkpoints of a namespace."""
    return f"{NAMESPACE}{namespace}"


class Place(NamedTuple):
    """A thread, and what of it is meant; ``thread_id`` is the caller's own spelling."""

    thread: str
    namespace: str | None
    id: str | None
    thread_id: Any

    def config(self, namespace: str, id: str) -> dict[str, Any]:
        """Return LangGraph's config of a checkpoint of this thread."""
        return {"configurable": {"thread_id": self.thread_id, "checkpoint_ns": namespace, "checkpoint_id": id}}


def place_of(config: Mapping[str, Any]) -> Place:
    """Read a config; raises ``InvalidKey`` where it names no thread."""
    facts = config.get("configurable") or {}
    thread = facts.get("thread_id")
    if thread is None or thread == "":
        raise InvalidKey('the config names no thread: pass {"configurable": {"thread_id": ...}}')
    return Place(str(thread), facts.get("checkpoint_ns"), facts.get("checkpoint_id") or None, thread)
