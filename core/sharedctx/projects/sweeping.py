"""What goes by itself: projects that nobody accessed for long, then those used longest ago while there are too many."""

from __future__ import annotations

from ..backends import steps
from ..backends.steps import Steps
from ..errors import DecodeError, KeyNotFound
from .projects import Projects


def last_used(projects: Projects) -> Steps[dict[str, float]]:
    """Return when each live project was last written or accessed, in seconds of the store's clock."""
    found: dict[str, float] = {}
    for project in (yield from projects.names()):
        try:
            head = yield from projects.live(project)
        except (KeyNotFound, DecodeError):
            continue
        found[project] = head.blob.timestamp
    for access in (yield from projects.accesses.all()):
        if access.project in found:
            found[access.project] = max(found[access.project], access.at)
    return found


def sweep(projects: Projects, spare: str | None = None) -> Steps[dict[str, str]]:
    """Remove what the settings let go, never ``spare``; returns the projects that went and why."""
    used = yield from last_used(projects)
    settings = projects.settings
    victims: dict[str, str] = {}
    for project, at in used.items():
        if settings.ttl is not None and project != spare and (yield from steps.expired(at + settings.ttl)):
            victims[project] = "expired"
    living = sorted((at, project) for project, at in used.items() if project not in victims and project != spare)
    over = len(used) - len(victims) - settings.max_projects
    for _, project in living[: max(over, 0)]:
        victims[project] = "max_projects"
    gone = {}
    for project, why in victims.items():
        if (yield from projects.evict(project, why)):
            yield from projects.accesses.forget(project)
            gone[project] = why
    return gone
