"""What an MCP server may be told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sharedctx.callers import Callers, check_port, check_token
from sharedctx.errors import ConfigError
from sharedctx.outputs import check_view_tokens
from sharedctx.settings import check_bound, check_duration, check_positive

PREFIX = "context_"


@dataclass(frozen=True)
class McpSettings:
    """Settings of one server; nothing of them is stored.

    ``read_only`` leaves out the tools that write, ``allow_delete`` adds the one that removes. Names of tools start with
    ``prefix``; what a tool reads comes in pages of ``max_tokens``, whatever the model asks for. ``page`` is how many
    resources a listing has at once, ``pace`` the least seconds between two tellings of changes to one client.

    Over HTTP: ``host`` and ``port`` are where it listens, ``token`` is a bearer token that may do everything, beside
    those of ``sharedctx token make``; ``allow_hosts`` are further names it may be called by, ``allow_origins`` web
    origins whose pages may call it, ``idle`` the seconds that a connection may be silent, between requests or amid one,
    and that the head of a request may take, ``drain`` those that requests have to end when it stops. Raises
    ``ConfigError``.
    """

    read_only: bool = False
    allow_delete: bool = False
    prefix: str = PREFIX
    max_tokens: int = 4000
    page: int = 200
    pace: float = 0.1
    host: str = "127.0.0.1"
    port: int = 3004
    token: str | None = None
    allow_hosts: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()
    idle: float = 30.0
    drain: float = 3.0

    def __post_init__(self) -> None:
        if self.read_only and self.allow_delete:
            raise ConfigError("a server that is read-only cannot allow to delete: choose one")
        prefix: Any = self.prefix
        if not isinstance(prefix, str) or not re.fullmatch(r"[A-Za-z0-9_-]{0,32}", prefix):
            raise ConfigError(f"the prefix {self.prefix!r} is not up to 32 of A-Z a-z 0-9 _ -")
        check_view_tokens("max_tokens", self.max_tokens)
        check_bound("page", self.page)
        if self.page > 10_000:
            raise ConfigError(f"page {self.page!r} is not a number from 1 to 10,000")
        for name in ("pace", "drain"):
            check_duration(name, getattr(self, name))
        check_positive("idle", self.idle, "seconds")
        check_port(self.port)
        check_token(self.token)
        Callers(self.host, self.allow_hosts, self.allow_origins)
