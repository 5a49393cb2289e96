"""Checkpoints, values and writes as bytes, by the serializer in use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from sharedctx.errors import DecodeError, InvalidKey, InvalidValue, SharedContextError
from sharedctx.extras import extra
from sharedctx.versions.lineage import Part

from .places import check_text

with extra("langgraph", "ContextSaver"):
    import ormsgpack
    from langgraph.checkpoint.base import WRITES_IDX_MAP


Stored = tuple[str, bytes]
"""What a serializer made of something: the type, and the bytes."""


class Write(NamedTuple):
    """One pending write, in the order in which LangGraph applies them."""

    task_path: str
    task_id: str
    place: int
    channel: str
    stored: Stored


class Packing:
    """Makes bytes of what LangGraph hands over, and back; ``serde`` is its serializer."""

    def __init__(self, serde: Any) -> None:
        self._serde = serde

    def head(self, checkpoint: Mapping[str, Any], metadata: Mapping[str, Any]) -> bytes:
        """Return a checkpoint without its values and id, and its metadata, as bytes."""
        bare = dict(checkpoint)
        bare.pop("channel_values", None)
        bare.pop("id", None)
        return self.value([bare, metadata], "the checkpoint and its metadata")

    def read_head(self, id: str, head: bytes) -> tuple[Any, Any]:
        """Return the checkpoint without its values and id, and the metadata; raises ``DecodeError``."""
        checkpoint, metadata = self.read_value(id, head)
        return checkpoint, metadata

    def parts(self, checkpoint: Mapping[str, Any], new_versions: Mapping[str, Any]) -> dict[str, Part]:
        """Return a checkpoint's channels as parts; those whose version stayed are not serialized again."""
        try:
            values, versions = checkpoint["channel_values"], checkpoint["channel_versions"]
            items = values.items()
        except (KeyError, AttributeError) as error:
            raise InvalidValue(f"checkpoint {checkpoint.get('id')!r} is none ({error}): pass a whole one") from None
        parts: dict[str, Part] = {}
        for channel, value in items:
            if not isinstance(channel, str) or not channel:
                raise InvalidKey(f"the channel {channel!r:.80} cannot be stored: name it by a text of a letter or more")
            fresh = channel in new_versions or channel not in versions
            parts[channel] = Part(f"{versions.get(channel)!r}", partial(self.value, value, channel), fresh)
        for channel, version in versions.items():
            if channel not in values and channel not in new_versions:
                parts[channel] = Part(f"{version!r}", None, False)
        return parts

    def value(self, value: Any, channel: str) -> bytes:
        """Return a channel's value as bytes: the serialized value, its type behind it, where differences end alike."""
        kind, data = self._dump(value, channel)
        name = kind.encode()
        return b"".join((data, name, bytes((len(name),))))

    @staticmethod
    def split_value(content: bytes) -> Stored:
        """Return a value as the serializer left it."""
        end = len(content) - 1 - content[-1]
        return content[end:-1].decode("utf-8", "replace"), content[:end]

    def read_value(self, id: str, content: bytes) -> Any:
        """Return the value; raises ``DecodeError``."""
        return self.load(id, self.split_value(content))

    def writes(self, task_id: str, task_path: str, writes: Any) -> bytes:
        """Return the writes of a task as bytes; raises ``InvalidKey`` for names that are no text, ``InvalidValue`` for
        writes that are no pairs."""
        check_text(task_id, "task_id")
        check_text(task_path, f"task_path of task {task_id!r}")
        pairs = list(writes) if isinstance(writes, Iterable) else [writes]
        if not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs):
            raise InvalidValue(f"the writes {writes!r:.80} of task {task_id!r} are no pairs: pass [(channel, value)]")
        items = [
            (WRITES_IDX_MAP.get(channel, index), check_text(channel, "channel"), *self._dump(value, channel))
            for index, (channel, value) in enumerate(pairs)
        ]
        return ormsgpack.packb([task_id, task_path, items])

    def _dump(self, value: Any, what: str) -> Stored:
        """Return what the serializer makes of a value; raises ``InvalidValue`` naming ``what`` it is."""
        try:
            found: Stored = self._serde.dumps_typed(value)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise InvalidValue(
                f"{what!r} cannot be stored, the serializer refuses it ({error}): keep what it knows in the state, or "
                "pass another serde="
            ) from error
        return found

    @staticmethod
    def read_writes(id: str, contents: Sequence[bytes]) -> list[Write]:
        """Return all writes to a checkpoint: of the regular ones the first of a task and place, of the special ones
        (errors, interrupts, resumptions) the last."""
        found: dict[tuple[str, int], Write] = {}
        for content in contents:
            task_id, task_path, items = _unpack(id, content)
            for index, channel, kind, data in items:
                if index < 0 or (task_id, index) not in found:
                    found[task_id, index] = Write(task_path, task_id, index, channel, (kind, data))
        return sorted(found.values(), key=lambda write: write[:3])

    def pending(self, id: str, write: Write) -> tuple[str, str, Any]:
        """Return a write as LangGraph wants it; raises ``DecodeError``."""
        return write.task_id, write.channel, self.load(id, write.stored)

    def load(self, id: str, stored: Stored) -> Any:
        """Return what the serializer made these bytes of, anew each time; raises ``DecodeError``."""
        try:
            return self._serde.loads_typed(stored)
        except SharedContextError:
            raise
        except Exception as error:
            raise DecodeError(
                f"checkpoint {id!r}: the serializer cannot read what it holds ({type(error).__name__}: {error}): open "
                "it with the serializer and key that wrote it"
            ) from error


def _unpack(id: str, data: bytes) -> Any:
    try:
        return ormsgpack.unpackb(data)
    except ValueError as error:
        raise DecodeError(f"checkpoint {id!r}: the stored row makes no sense: {error}") from error
