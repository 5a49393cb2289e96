"""Checkpoints, values and writes as bytes, by the serializer in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from sharedctx.errors import DecodeError, SharedContextError
from sharedctx.extras import extra
from sharedctx.versions.lineage import Part

with extra("langgraph", "ContextSaver"):
    import ormsgpack
    from langgraph.checkpoint.base import WRITES_IDX_MAP


class Write(NamedTuple):
    """One pending write, in the order in which LangGraph applies them."""

    task_path: str
    task_id: str
    place: int
    channel: str
    type: str
    data: bytes


class Packing:
    """Makes bytes of what LangGraph hands over, and back; ``serde`` is its serializer."""

    def __init__(self, serde: Any) -> None:
        self._serde = serde

    def head(self, checkpoint: Mapping[str, Any], metadata: Mapping[str, Any]) -> bytes:
        """Return a checkpoint without its values and id, and its metadata, as bytes."""
        bare = {name: value for name, value in checkpoint.items() if name not in ("channel_values", "id")}
        return ormsgpack.packb([*self._serde.dumps_typed(bare), *self._serde.dumps_typed(metadata)])

    def read_head(self, id: str, head: bytes) -> tuple[Any, Any]:
        """Return the checkpoint without its values, and the metadata."""
        kind, bare, metadata_kind, metadata = self._unpack(id, head)
        return {**self._load(id, kind, bare), "id": id}, self._load(id, metadata_kind, metadata)

    def read_metadata(self, id: str, head: bytes) -> Any:
        """Return the metadata alone."""
        return self._load(id, *self._unpack(id, head)[2:])

    def parts(self, checkpoint: Mapping[str, Any], new_versions: Mapping[str, Any]) -> dict[str, Part]:
        """Return a checkpoint's channels as parts; those whose version stayed are not serialized again."""
        values = checkpoint["channel_values"]
        versions = checkpoint["channel_versions"]
        parts = {
            channel: Part(
                f"{versions.get(channel)!r}",
                partial(self.value, value),
                channel in new_versions or channel not in versions,
            )
            for channel, value in values.items()
        }
        for channel, version in versions.items():
            if channel not in values and channel not in new_versions:
                parts[channel] = Part(f"{version!r}", None, False)
        return parts

    def value(self, value: Any) -> bytes:
        """Return a channel's value as bytes: the serialized value, its type behind it, where differences end alike."""
        kind, data = self._serde.dumps_typed(value)
        name = kind.encode()
        return b"".join((data, name, bytes((len(name),))))

    def read_value(self, id: str, content: bytes) -> Any:
        """Return the value; raises ``DecodeError``."""
        end = len(content) - 1 - content[-1]
        return self._load(id, content[end:-1].decode("utf-8", "replace"), content[:end])

    def writes(self, task_id: str, task_path: str, writes: Sequence[tuple[str, Any]]) -> bytes:
        """Return the writes of a task as bytes."""
        items = [
            (WRITES_IDX_MAP.get(channel, index), channel, *self._serde.dumps_typed(value))
            for index, (channel, value) in enumerate(writes)
        ]
        return ormsgpack.packb([task_id, task_path, items])

    def read_writes(self, id: str, contents: Sequence[bytes]) -> list[Write]:
        """Return all writes to a checkpoint: of the regular ones the first of a task and place, of the special ones
        (errors, interrupts, resumptions) the last."""
        found: dict[tuple[str, int], Write] = {}
        for content in contents:
            task_id, task_path, items = self._unpack(id, content)
            for index, channel, kind, data in items:
                if index < 0 or (task_id, index) not in found:
                    found[task_id, index] = Write(task_path, task_id, index, channel, kind, data)
        return sorted(found.values(), key=lambda write: write[:3])

    def pending(self, id: str, write: Write) -> tuple[str, str, Any]:
        """Return a write as LangGraph wants it; raises ``DecodeError``."""
        return write.task_id, write.channel, self._load(id, write.type, write.data)

    def _load(self, id: str, kind: str, data: bytes) -> Any:
        try:
            return self._serde.loads_typed((kind, data))
        except SharedContextError:
            raise
        except Exception as error:
            raise DecodeError(
                f"checkpoint {id!r}: the serializer cannot read what it holds ({type(error).__name__}: {error}): open "
                "it with the serializer and key that wrote it"
            ) from error

    def _unpack(self, id: str, data: bytes) -> Any:
        try:
            return ormsgpack.unpackb(data)
        except ValueError as error:
            raise DecodeError(f"checkpoint {id!r}: the stored row makes no sense: {error}") from error
