"""What goes over the wire: the bodies of requests and replies, and the messages of streams."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from sharedctx.projects import Difference, State, request_of
from sharedctx.versions.log import Version

from .replies import encode, iso


class PutContext(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The body of PUT: the whole context, and who writes it."""

    context: msgspec.Raw
    agent_id: str | None = None
    expected_version: int | None = None


class PostDiff(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The body of POST diff: a name stands in one of the four only."""

    added: dict[str, Any] = {}
    modified: dict[str, Any] = {}
    removed: list[str] = []
    unchanged: list[str] = []
    agent_id: str | None = None
    expected_version: int | None = None


class PostRollback(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The body of POST rollback: the version to write again."""

    version: int
    agent_id: str | None = None
    expected_version: int | None = None


class PutReply(msgspec.Struct, rename="camel"):
    """What PUT and rollback return; sizes are bytes, ``optimizedSize`` those at rest."""

    project_id: str
    version: int
    hash: str
    optimized: bool
    is_new: bool
    size: int
    optimized_size: int


class DiffReply(msgspec.Struct, rename="camel"):
    """What POST diff returns; ``tokensSaved`` is a quarter of the characters that the diff spares one reader."""

    project_id: str
    version: int
    hash: str
    tokens_saved: int
    subscribers: int


class DeleteReply(msgspec.Struct, rename="camel"):
    """What DELETE returns."""

    project_id: str
    deleted: Literal[True]


class Changes(msgspec.Struct):
    """A difference by top-level names, each in one list only."""

    added: dict[str, Any]
    modified: dict[str, Any]
    removed: list[str]
    unchanged: list[str]


class ContextReply(msgspec.Struct, rename="camel"):
    """A context at a version; with ``maxTokens`` references stand for what did not fit."""

    project_id: str
    version: int
    timestamp: str
    context: dict[str, Any]
    hash: str


class SinceReply(msgspec.Struct, rename="camel"):
    """What changed since a version (null where that is not known: everything is under added, or one replacement)."""

    project_id: str
    from_version: int | None
    current_version: int
    changes: Changes | list[dict[str, Any]]


class ErrorReply(msgspec.Struct, rename="camel"):
    """Every error."""

    error: str
    status_code: int
    timestamp: str


def _head(kind: bytes, project: str, version: Version) -> bytes:
    return b'{%b"projectId":"%b","version":%d,"timestamp":"%b",' % (
        kind,
        project.encode(),
        version.number,
        iso(version.blob.timestamp).encode(),
    )


def context_body(project: str, version: Version, context: bytes, digest: str) -> bytes:
    """The body of GET."""
    return b'%b"context":%b,"hash":"%b"}' % (_head(b"", project, version), context, digest.encode())


def snapshot_message(project: str, version: Version, state: State) -> bytes:
    """The message that carries a whole context."""
    head = _head(b'"type":"context_snapshot",', project, version)
    return b'%b"context":%b,"hash":"%b"}' % (head, state.encoded, state.hash.encode())


def update_message(project: str, version: Version, state: State, changes: Difference) -> bytes:
    """The message that carries what a version changed."""
    head = _head(b'"type":"context_update",', project, version)
    agent = encode(version.blob.agent or None)
    return b'%b"hash":"%b","agentId":%b,"changes":%b}' % (head, state.hash.encode(), agent, changes.encoded)


def ack_message(project: str, version: Version, state: State) -> bytes:
    """The message that tells an agent of its own version, without what it changed."""
    request = request_of(version).encode()
    own = b',"id":"%b"' % request if request else b""
    return b'%b"hash":"%b"%b}' % (_head(b'"type":"ack",', project, version), state.hash.encode(), own)


def deleted_message(project: str, version: Version) -> bytes:
    """The message of a removal, the last one."""
    return _head(b'"type":"context_deleted",', project, version)[:-1] + b"}"


def since_body(project: str, since: int | None, current: int, changes: bytes) -> bytes:
    """The body of GET with ``since``."""
    known = b"null" if since is None else b"%d" % since
    return b'{"projectId":"%b","fromVersion":%b,"currentVersion":%d,"changes":%b}' % (
        project.encode(),
        known,
        current,
        changes,
    )
