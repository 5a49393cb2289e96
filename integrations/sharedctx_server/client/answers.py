"""What the client returns: the server's replies, and the same of what it holds itself."""

from __future__ import annotations

from typing import Any

import httpx

from sharedctx.projects import State
from sharedctx.projects.state import parse_json

Found = dict[str, Any]


def json_of(reply: httpx.Response) -> Found:
    """The object of a reply; raises ``InvalidValue``."""
    found: Found = parse_json(reply.content, "the reply")
    return found


def context_of(project: str, version: int | None, timestamp: str, state: State) -> Found:
    """A context as GET returns it."""
    return {
        "projectId": project,
        "version": version,
        "timestamp": timestamp,
        "context": state.context(),
        "hash": state.hash,
    }
