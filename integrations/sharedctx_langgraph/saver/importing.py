"""Threads of another saver, read and written here, oldest checkpoint first."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any, NamedTuple, Protocol

from sharedctx.errors import ConfigError
from sharedctx.extras import extra

with extra("langgraph", "ContextSaver"):
    from langgraph.checkpoint.base import CheckpointTuple

Progress = Callable[[int, int], None]
"""Is told how many checkpoints were copied, and of how many."""


class Source(Protocol):
    """What is asked of the other saver."""

    def list(self, config: Any) -> Iterable[CheckpointTuple]: ...
    def get_tuple(self, config: Any) -> CheckpointTuple | None: ...
    def alist(self, config: Any) -> AsyncIterable[CheckpointTuple]: ...
    async def aget_tuple(self, config: Any) -> CheckpointTuple | None: ...


def check_source(other: object, *methods: str) -> None:
    """Raise ``ConfigError`` for what cannot be read as a saver."""
    if missing := [name for name in methods if not callable(getattr(other, name, None))]:
        raise ConfigError(f"{type(other).__name__} has no {missing[0]}(): pass a LangGraph saver to import from")


class Imported(NamedTuple):
    """How much was copied."""

    threads: int
    checkpoints: int
    writes: int


Address = tuple[str, str, str]


def address(found: CheckpointTuple) -> Address:
    """Thread, namespace and id of a checkpoint."""
    facts: Any = found.config["configurable"]
    return str(facts["thread_id"]), facts.get("checkpoint_ns") or "", facts["checkpoint_id"]


def put_arguments(found: CheckpointTuple, versions: dict[Address, Any]) -> tuple[Any, Any, Any, Any]:
    """Return what to call ``put`` with. ``versions`` remembers the channel versions of checkpoints already copied."""
    thread, namespace, id = address(found)
    config: dict[str, Any] = {"configurable": {"thread_id": thread, "checkpoint_ns": namespace}}
    before: Any = {}
    if found.parent_config is not None:
        parent = found.parent_config["configurable"]["checkpoint_id"]
        config["configurable"]["checkpoint_id"] = parent
        before = versions.get((thread, namespace, parent), {})
    held = found.checkpoint["channel_versions"]
    versions[thread, namespace, id] = held
    changed = {channel: version for channel, version in held.items() if before.get(channel) != version}
    return config, found.checkpoint, found.metadata, changed


def tasks(found: CheckpointTuple) -> list[tuple[str, list[tuple[str, Any]], str]]:
    """Return a checkpoint's writes by task: id, writes, and a path that keeps the order in which tasks stood."""
    by_task: dict[str, list[tuple[str, Any]]] = {}
    for task_id, channel, value in found.pending_writes or ():
        by_task.setdefault(task_id, []).append((channel, value))
    ordered = list(by_task) == sorted(by_task)
    return [(task, writes, "" if ordered else f"{at:06d}") for at, (task, writes) in enumerate(by_task.items())]
