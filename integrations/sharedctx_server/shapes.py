"""The shapes of replies that only the description of the server needs: the routes write their JSON themselves."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Object = dict[str, Any]


class ValueReply(msgspec.Struct, rename="camel"):
    """One name of a context."""

    project_id: str
    version: int
    name: str
    value: Any


class OptimizedReply(msgspec.Struct, rename="camel"):
    """What brings a model up to date for the fewest tokens."""

    project_id: str
    version: int
    hash: str
    kind: Literal["snapshot", "diff", "window"]
    tokens: int
    total_tokens: int
    content: Object


class ContextSize(msgspec.Struct, rename="camel"):
    """One context in the metrics."""

    project_id: str
    versions: int
    subscribers: int
    last_accessed: str
    size: int


class MetricsReply(msgspec.Struct, rename="camel"):
    """The server's figures since its start; memory and sizes are bytes, ``uptime`` seconds."""

    total_requests: int
    cache_hits: int
    compression_saved: int
    active_connections: int
    tokens_saved: int
    active_contexts: int
    total_versions: int
    memory_usage: int
    uptime: float
    context_sizes: list[ContextSize]


class HealthReply(msgspec.Struct):
    """How the server does; ``reasons`` where it is degraded."""

    status: Literal["healthy", "degraded"]
    timestamp: str
    version: str
    contexts: int
    connections: int
    reasons: list[str] = []


class ReadyReply(msgspec.Struct):
    """Whether the store takes writes."""

    ready: bool
    timestamp: str
    reason: str | None = None


class Entry(msgspec.Struct):
    """One version of one key; token figures where they were asked for, ``note`` where something is to be said."""

    key: str
    kind: str
    version: int | None = None
    agent: str | None = None
    size: int | None = None
    hash: str | None = None
    timestamp: float | None = None
    expires_at: float | None = None
    rev: int | None = None
    note: str | None = None
    original_tokens: int | None = None
    compressed_tokens: int | None = None
    savings_percent: float | None = None
    transforms: list[str] | None = None
    counter: str | None = None


class ShownEntry(Entry, kw_only=True):
    """An entry with its view beside the original."""

    view: str
    view_tokens: int
    original: str
    original_cut: bool


class SessionsReply(msgspec.Struct):
    """The sessions that can be looked into."""

    session: str
    sessions: list[str]


class EntriesReply(msgspec.Struct):
    """Live entries; ``after`` is the key to go on from."""

    session: str
    rev: int
    total: int
    after: str | None
    entries: list[Entry]


class ExpandReply(msgspec.Struct):
    """What a marker in a view stands for."""

    key: str
    ref: str
    text: str


class HistoryReply(msgspec.Struct):
    """An entry's versions, newest first."""

    key: str
    versions: list[Entry]


class DiffBetween(msgspec.Struct, rename={"from_version": "from", "to_version": "to"}):
    """What changed between two versions."""

    key: str
    from_version: int
    to_version: int
    format: Literal["patch", "text"]
    changes: str | list[Object]


class Sum(msgspec.Struct):
    """Tokens served against full replay."""

    calls: int
    served_tokens: int
    replay_tokens: int
    saved_tokens: int
    savings_percent: float


class SumOfParticipant(Sum, kw_only=True):
    """The same of one participant."""

    participant: str | None


class Point(SumOfParticipant, kw_only=True):
    """The same in one span of time that began ``at``, in seconds since the epoch."""

    at: int


class Served(msgspec.Struct):
    """The same by participant, face and kind of hand-over."""

    participant: str | None
    face: str
    kind: str
    calls: int
    served_tokens: int
    replay_tokens: int
    saved_tokens: int


class SavingsReply(msgspec.Struct):
    """What models were served in place of whole values."""

    session: str
    counter: str
    entries: Object
    total: Sum
    participants: list[SumOfParticipant]
    served: list[Served]


class TimelineReply(msgspec.Struct):
    """The same over time."""

    session: str
    step: int
    points: list[Point]


class Reader(msgspec.Struct):
    """Who read what up to which version, and when."""

    participant: str | None
    key: str
    version: int
    at: float


class ReadersReply(msgspec.Struct):
    """Who read what, the latest first."""

    session: str
    readers: list[Reader]


class AuditReply(msgspec.Struct):
    """Rows of the audit log, newest first, and what is wrong with its chain."""

    session: str
    enabled: bool
    head: str | None
    faults: list[str] | None
    before: int | None
    total: int
    records: list[Object]


class EvolutionsReply(msgspec.Struct):
    """Evolutions, oldest first, and figures over all."""

    evolutions: list[Object]
    metrics: Object


class EvolutionReply(msgspec.Struct):
    """One evolution with its comparison."""

    context: Object
    comparison: Object


class UpdatesReply(msgspec.Struct):
    """The versions of one section."""

    evolution_id: str
    section: str
    updates: list[Object]
