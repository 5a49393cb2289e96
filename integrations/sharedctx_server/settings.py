"""What a server may be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from sharedctx.callers import Callers, check_port, check_token, is_loopback
from sharedctx.entries.names import check_session
from sharedctx.errors import ConfigError
from sharedctx.projects import PRIORITIES, ProjectSettings
from sharedctx.settings import check_bound, check_positive


@dataclass(frozen=True)
class ServerSettings:
    """Settings of one server; nothing of them is stored.

    ``session`` holds the projects. ``token`` is a bearer token that may do everything, beside those of ``sharedctx
    token``. ``host`` and ``port`` are where it listens; ``allow_hosts`` are further names it may be called by,
    ``allow_origins`` web origins that may call it. ``rate`` is requests a second and caller (None: no limit); ``queue``
    is how many messages may wait for one subscriber, ``queue_bytes`` how large they may be together; ``max_streams``
    how many subscribers there may be; ``body_bytes`` how large the bodies that are being received may be together.
    Seconds are ``idle`` (how long a connection may be silent, between requests or amid one, and how long the head of a
    request may take), ``heartbeat``, ``sweep_every``, ``drain`` and ``slow_store`` (from which the store counts as
    slow). ``priorities`` are those of windows. Raises ``ConfigError``.
    """

    session: str = "default"
    projects: ProjectSettings = field(default_factory=ProjectSettings)
    host: str = "127.0.0.1"
    port: int = 3003
    token: str | None = None
    allow_hosts: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()
    rate: float | None = None
    queue: int = 1000
    queue_bytes: int = 64 * 2**20
    max_streams: int = 1000
    body_bytes: int = 256 * 2**20
    idle: float = 30.0
    heartbeat: float = 15.0
    sweep_every: float = 60.0
    drain: float = 10.0
    slow_store: float = 0.25
    priorities: Mapping[str, float] = field(default_factory=lambda: dict(PRIORITIES))

    def __post_init__(self) -> None:
        check_session(self.session)
        if not isinstance(self.projects, ProjectSettings):
            raise ConfigError(f"projects {self.projects!r:.60} are no ProjectSettings: pass ProjectSettings(...)")
        for name in ("queue", "queue_bytes", "max_streams", "body_bytes"):
            check_bound(name, getattr(self, name))
        for name in ("idle", "heartbeat", "sweep_every", "drain", "slow_store"):
            check_positive(name, getattr(self, name), "seconds")
        if self.rate is not None:
            check_positive("rate", self.rate, "requests a second")
        priorities: Any = self.priorities
        if not isinstance(priorities, Mapping):
            raise ConfigError(f"priorities {priorities!r:.60} map no names to numbers: write {{'currentTask': 10}}")
        for name, number in priorities.items():
            if isinstance(number, bool) or not isinstance(number, int | float) or not isfinite(number):
                raise ConfigError(f"the priority {number!r:.40} of {name!r:.80} is not a number")
        check_port(self.port)
        check_token(self.token)
        Callers(self.host, self.allow_hosts, self.allow_origins)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can call."""
        return is_loopback(self.host)
