"""The limits of projects."""

from __future__ import annotations

from dataclasses import dataclass

from ..settings import check_bound, check_positive


@dataclass(frozen=True)
class ProjectSettings:
    """Limits of the projects of one session; each opener brings its own.

    ``max_bytes`` of a context as canonical JSON; ``max_projects`` that live, of which the least recently used goes when
    another is made; ``keep_versions`` of each that can be read; ``ttl`` seconds since the last access, None for ever.
    Raises ``ConfigError``.
    """

    max_bytes: int = 10 * 2**20
    max_projects: int = 100
    keep_versions: int = 10
    ttl: float | None = 86_400.0

    def __post_init__(self) -> None:
        for name in ("max_bytes", "max_projects", "keep_versions"):
            check_bound(name, getattr(self, name))
        if self.ttl is not None:
            check_positive("ttl", self.ttl, "seconds")
