"""The operations that the OpenAPI document describes: what each takes and returns."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import messages, shapes

_WRITES = ("agentId", "expectedVersion")
_CONDITIONS = ("if-match", "idempotency-key")


class Operation(NamedTuple):
    """One method of one path: what it takes, and the types of its reply (several in a tuple) and body; bytes stand
    for what is no JSON."""

    method: str
    path: str
    words: str
    reply: Any
    query: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    body: Any = None
    headers: tuple[str, ...] = ()
    media: str = "application/json"
    open: bool = False


_EVENTS = "text/event-stream"

OPERATIONS = (
    Operation(
        "get",
        "/context/{project}",
        "The context: whole, as of a version, what changed since one, or a window of it.",
        (messages.ContextReply, messages.SinceReply),
        ("version", "since", "format", "maxTokens", "agentId"),
        headers=("if-none-match",),
    ),
    Operation(
        "put",
        "/context/{project}",
        "Write the whole context.",
        messages.PutReply,
        _WRITES,
        body=messages.PutContext,
        headers=_CONDITIONS,
    ),
    Operation(
        "delete",
        "/context/{project}",
        "Remove the context; its history stays.",
        messages.DeleteReply,
        ("agentId",),
    ),
    Operation(
        "post",
        "/context/{project}/diff",
        "Change the context by top-level names, or make it.",
        messages.DiffReply,
        _WRITES,
        body=messages.PostDiff,
        headers=_CONDITIONS,
    ),
    Operation(
        "post",
        "/context/{project}/rollback",
        "Write an old version again as the newest.",
        messages.PutReply,
        _WRITES,
        body=messages.PostRollback,
        headers=_CONDITIONS,
    ),
    Operation(
        "get",
        "/context/{project}/optimized",
        "A snapshot, what changed since a version, or a window: whichever takes the fewest tokens and fits.",
        shapes.OptimizedReply,
        ("maxTokens", "since", "windowed", "agentId"),
        ("maxTokens",),
    ),
    Operation(
        "get",
        "/context/{project}/value",
        "The value of one name: what references in windows lead to.",
        shapes.ValueReply,
        ("name", "version", "agentId"),
        ("name",),
    ),
    Operation(
        "get",
        "/context/{project}/stream",
        "Server-sent events: context_snapshot, context_update, context_deleted; the same over a WebSocket.",
        bytes,
        ("fromVersion", "agentId"),
        headers=("last-event-id",),
        media=_EVENTS,
    ),
    Operation(
        "get",
        "/context/stream",
        "The same, with the project in the query.",
        bytes,
        ("projectId", "fromVersion", "agentId"),
        ("projectId",),
        headers=("last-event-id",),
        media=_EVENTS,
    ),
    Operation(
        "get", "/metrics", "Figures since the start; Prometheus text by Accept: text/plain.", shapes.MetricsReply
    ),
    Operation("get", "/health", "How the server does.", shapes.HealthReply, open=True),
    Operation("get", "/ready", "Whether the store takes writes; 503 where it does not.", shapes.ReadyReply, open=True),
    Operation("get", "/api/sessions", "The sessions that can be looked into.", shapes.SessionsReply),
    Operation(
        "get",
        "/api/entries",
        "Live entries in order of their keys.",
        shapes.EntriesReply,
        ("session", "prefix", "after", "limit", "tokens"),
    ),
    Operation(
        "get",
        "/api/entry",
        "An entry with its view beside the original.",
        shapes.ShownEntry,
        ("session", "key", "version", "max_tokens", "query"),
        ("key",),
    ),
    Operation(
        "get",
        "/api/original",
        "The original whole, as a file.",
        bytes,
        ("session", "key", "version"),
        ("key",),
        media="*/*",
    ),
    Operation(
        "get",
        "/api/expand",
        "What a marker in a view stands for.",
        shapes.ExpandReply,
        ("session", "key", "ref", "max_tokens"),
        ("key",),
    ),
    Operation(
        "get",
        "/api/history",
        "An entry's versions, newest first.",
        shapes.HistoryReply,
        ("session", "key", "limit", "before"),
        ("key",),
    ),
    Operation(
        "get",
        "/api/diff",
        "What changed between two versions.",
        shapes.DiffBetween,
        ("session", "key", "from", "to"),
        ("key", "from", "to"),
    ),
    Operation(
        "get",
        "/api/events",
        "Server-sent events of a session: one for each commit.",
        bytes,
        ("session", "from_rev"),
        headers=("last-event-id",),
        media=_EVENTS,
    ),
    Operation("get", "/api/savings", "Tokens served against full replay.", shapes.SavingsReply, ("session",)),
    Operation(
        "get",
        "/api/savings/timeline",
        "The same over time.",
        shapes.TimelineReply,
        ("session", "since", "step"),
    ),
    Operation("get", "/api/readers", "Who read what up to which version.", shapes.ReadersReply, ("session",)),
    Operation("get", "/api/audit", "The audit log.", shapes.AuditReply, ("session", "before", "limit")),
    Operation("get", "/api/evolutions", "Evolutions, oldest first.", shapes.EvolutionsReply),
    Operation("get", "/api/evolutions/{evolution}", "One evolution with its comparison.", shapes.EvolutionReply),
    Operation(
        "get",
        "/api/evolutions/{evolution}/history",
        "The versions of a section.",
        shapes.UpdatesReply,
        ("section",),
    ),
)
