"""What happens to an evolution, as it happens: updates read from the change feed of its space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..backends import steps
from ..backends.steps import Steps
from ..versions.log import Version
from .context import SECTIONS, STATE, check_text
from .record import STATE_PK, Record, iso

PAGE = 200


@dataclass(frozen=True, slots=True)
class Update:
    """One version of one section; ``rev`` is what ``watch(since=)`` and ``get_context(as_of=)`` take.

    ``section`` is "state" for the fields that say how the evolution stands (status, current_phase and the like);
    ``data`` is the whole section after the update.
    """

    rev: int
    evolution_id: str
    section: str
    version: int
    timestamp: str
    agent: str | None
    data: Any


def update(record: Record, version: Version) -> Steps[Update]:
    """Describe a version."""
    blob = version.blob
    data = yield from record.value(version)
    return Update(version.rev, record.id, version.pk, version.number, iso(blob.timestamp), blob.agent or None, data)


def follow(record: Record, since: int) -> Steps[tuple[list[Update], int]]:
    """Return the next updates and the revision to go on from."""
    rev = yield from steps.rev(record.space)
    page = yield from steps.changes(record.space, since, PAGE)
    found = []
    for change in page:
        if not isinstance(change.sk, int):
            continue
        version = yield from record.log.at(change.pk, change.sk)
        if version is not None:
            found.append((yield from update(record, version)))
    return found, (page[-1].rev if page else max(rev, since))


def history(record: Record, section: str) -> Steps[list[Update]]:
    """Return a section's versions, oldest first; of a field of the state those that changed it."""
    field = section if section in STATE else None
    if field is None and section != STATE_PK and section not in SECTIONS:
        check_text("section", section)
        return []
    found: list[Update] = []
    for version in (yield from record.history(STATE_PK if field else section)):
        one = yield from update(record, version)
        if field is not None:
            one = Update(one.rev, one.evolution_id, field, one.version, one.timestamp, one.agent, one.data[field])
            if found and found[-1].data == one.data:
                continue
        found.append(one)
    return found
