"""Checkpoints to save, and what names them."""

from __future__ import annotations

from typing import Any


def config(thread: str = "t", namespace: str | None = "", id: str | None = None) -> dict[str, Any]:
    """What names a thread, a namespace, a checkpoint."""
    facts: dict[str, Any] = {"thread_id": thread}
    if namespace is not None:
        facts["checkpoint_ns"] = namespace
    if id is not None:
        facts["checkpoint_id"] = id
    return {"configurable": facts}


def checkpoint(id: str, values: dict[str, Any] | None = None, versions: dict[str, Any] | None = None) -> dict[str, Any]:
    """A checkpoint with these values; versions are the id's unless they are given."""
    held = values or {}
    return {
        "v": 4,
        "id": id,
        "ts": "2025-01-01T00:00:00+00:00",
        "channel_values": held,
        "channel_versions": dict.fromkeys(held, id) if versions is None else versions,
        "versions_seen": {},
        "updated_channels": None,
    }


class Chain:
    """Puts checkpoints on top of each other."""

    def __init__(self, saver: Any, thread: str = "t", namespace: str = "") -> None:
        self.saver = saver
        self.config: Any = config(thread, namespace)

    def put(self, id: str, values: dict[str, Any], **metadata: Any) -> dict[str, Any]:
        """Put one whose channels are all new."""
        made = checkpoint(id, values)
        self.config = self.saver.put(
            self.config, made, {"source": "loop", "step": 1, **metadata}, made["channel_versions"]
        )
        return self.config
