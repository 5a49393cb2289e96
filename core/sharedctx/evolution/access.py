"""Who may read and write which sections of a tenant's evolutions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, fields, replace
from typing import Any

from ..access import RIGHTS, Grants, Right
from ..backends.steps import Steps
from ..entries.rights import Rights
from ..errors import Forbidden
from ..store import Store
from ..versions.log import VersionLog
from .context import SECTIONS, EvolutionContext
from .record import STATE_PK

_DEFAULTS: dict[str, Any] = {
    each.name: each.default_factory for each in fields(EvolutionContext) if each.default_factory is not MISSING
}


class Access:
    """What ``participant`` may do; None is the owner, who may do everything. Rights are on the names of sections, and
    on "state" for the fields that say how an evolution stands, without which it is not seen at all."""

    def __init__(self, store: Store, tenant: str, participant: str | None) -> None:
        log = VersionLog(store.backend.id, f"access:evolutions:{tenant}", store.contents)
        self._rights = Rights(log, log)
        self._participant = participant

    def grant(self, participant: str, rights: dict[Right, Sequence[str]]) -> Steps[Grants]:
        """Allow participants that fit a pattern just these sections; raises ``Forbidden`` unless the owner asks."""
        if self._participant is not None:
            raise Forbidden(f"{self._participant!r} may not change grants: use the unbound store")
        given = {right: rights.get(right, ()) for right in RIGHTS}
        return (yield from self._rights.set_grants(lambda old: old.with_rule(participant, given)))

    def allows(self, right: Right, section: str) -> Steps[bool]:
        """Whether the participant has the right on the section."""
        return (yield from self._rights.allows(self._participant, right, section))

    def guard(self, right: Right, *sections: str) -> Steps[None]:
        """Raise ``Forbidden`` unless the participant has the right on all of the sections."""
        for section in sections:
            if not (yield from self.allows(right, section)):
                raise Forbidden(f"{self._participant!r} may not {right} {section!r} of evolutions: ask for the grant")

    def readable(self) -> Steps[frozenset[str]]:
        """Return the sections that may be read, "state" among them."""
        found = []
        for section in (STATE_PK, *SECTIONS):
            if (yield from self.allows("read", section)):
                found.append(section)
        return frozenset(found)


def shown(context: EvolutionContext, readable: frozenset[str]) -> EvolutionContext:
    """The context with the sections that may not be read left empty."""
    hidden = {name: _DEFAULTS[name]() for name in SECTIONS if name not in readable}
    return replace(context, **hidden) if hidden else context
