"""Routes of evolutions: the list, one with the comparison of before and after, and the versions of its sections."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sharedctx.errors import KeyNotFound
from sharedctx.evolution import EvolutionStore
from sharedctx.evolution.assessment import comparison

from ..calls import Call
from ..replies import Reply, json_reply
from ..service import Service


class Evolutions:
    """The routes /api/evolutions, /api/evolutions/{id} and /api/evolutions/{id}/history."""

    def __init__(self, service: Service) -> None:
        self._owner = EvolutionStore(store=service.store)

    def _store(self, call: Call) -> EvolutionStore:
        participant = call.agent()
        return self._owner if participant is None else self._owner.bind(participant)

    async def evolutions(self, call: Call) -> Reply:
        """Return a line for each evolution, oldest first, and figures over all."""
        store = self._store(call)
        return json_reply({"evolutions": await store.get_all_contexts(), "metrics": dict(await store.metrics())})

    async def evolution(self, call: Call) -> Reply:
        """Return an evolution's whole context and its comparison: before, plan, after, implementation, delta."""
        own = call.path("evolution")
        context = await self._store(call).get_context(own)
        if context is None:
            raise _missing(own)
        return json_reply({"context": context.to_dict(), "comparison": comparison(context)})

    async def history(self, call: Call) -> Reply:
        """Return the versions of a section (``section=``) or field, ``status`` by default, oldest first."""
        own, section, store = call.path("evolution"), call.query.get("section", "status"), self._store(call)
        found: list[dict[str, Any]] = [asdict(update) for update in await store.history(section, own)]
        if not found and await store.get_context(own) is None:
            raise _missing(own)
        return json_reply({"evolution_id": own, "section": section, "updates": found})


def _missing(own: str) -> KeyNotFound:
    return KeyNotFound(f"there is no evolution {own!r:.80}: /api/evolutions lists them")
