"""What some backends can do besides: ask for it with ``isinstance``."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from .base import Row


@runtime_checkable
class Dated(Protocol):
    """The capability of a backend that tells the revision along with a read, for far less than two questions cost."""

    def newest(self, space: str, pk: str) -> tuple[Row, int] | None:
        """Return a partition's newest version with ``rev(space)`` as it was then or just before; None without any
        version."""
        ...

    def clock(self) -> float:
        """Return what this opening knows of ``now()`` without a question: never later than that, and earlier only
        where another process saw a later time than the machine's clock has now."""
        ...


@runtime_checkable
class Counting(Protocol):
    """The capability of a backend whose revisions count: a commit of puts alone raises that of the whole store by as
    many as it has, so that who knows the one before sees from the new one that nobody else came between."""

    @property
    def counts_puts(self) -> bool:
        """Whether they do."""
        ...


@runtime_checkable
class Prompt(Protocol):
    """The capability of a backend whose commits may take less time than handing them to another thread does."""

    @property
    def prompt(self) -> bool:
        """Whether they do."""
        ...


@runtime_checkable
class Backup(Protocol):
    """The capability of a backend that can copy itself while it is in use."""

    def backup(self, path: str) -> None:
        """Write a consistent copy to the new directory ``path``; ``ConfigError`` when something is there."""
        ...


@runtime_checkable
class Repair(Protocol):
    """The capability of a backend whose storage others can write to."""

    def repair(self) -> list[str]:
        """Remove what ``verify`` finds that sharedctx did not write; returns a sentence for each that is gone.

        Version numbers stay taken, and followers of the feed are told ``Compacted``.
        """
        ...
