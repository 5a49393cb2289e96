"""Where a checkpoint lies: thread, namespace and id of LangGraph's config, and the space and partition they mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sharedctx.errors import ConfigError, InvalidKey

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


def place_of(config: Any) -> Place:
    """Read a config; raises ``InvalidKey`` where it names no thread."""
    known = config.__class__ is dict or isinstance(config, Mapping)  # asking an abstract class costs a microsecond
    facts = (config.get("configurable") or {}) if known else {}
    thread = facts.get("thread_id")
    if thread is None or thread == "":
        raise InvalidKey('the config names no thread: pass {"configurable": {"thread_id": ...}}')
    id = facts.get("checkpoint_id") or None
    if id.__class__ is not str and id is not None:
        check_text(id, f"checkpoint_id of thread {thread!r:.80}")
    namespace = facts.get("checkpoint_ns")
    if namespace.__class__ is not str and namespace is not None:
        check_text(namespace, f"checkpoint_ns of thread {thread!r:.80}")
    return Place(str(thread), namespace, id, thread)


def thread_of(thread: object) -> str:
    """Return the name of a thread; raises ``InvalidKey`` for none."""
    if thread is None or thread == "":
        raise InvalidKey(f"{thread!r} names no thread: pass its thread_id")
    return str(thread)


def names(given: object, what: str) -> list[str]:
    """Return names as texts; raises ``ConfigError`` for one text where several are expected, and for no names."""
    if isinstance(given, str | bytes):
        raise ConfigError(f"{what} is the text {given!r}, whose letters would be taken for names: pass [{given!r}]")
    found = list(given) if isinstance(given, Iterable) else [None]
    if None in found:
        raise ConfigError(f"{what} {given!r:.80} are no names: pass a list of texts")
    return [str(each) for each in found]


def check_text(text: object, what: str) -> str:
    """Return a text that can be stored; raises ``InvalidKey`` naming ``what`` it is."""
    if not isinstance(text, str):
        raise InvalidKey(f"the {what} is no text but {type(text).__name__}: {text!r:.80}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidKey(f"the {what} {text!r:.80} has a lone surrogate: it is no text, remove it") from None
    return text
