"""EvolutionEngine: the phases of an evolution over agents of the user's own, resumed where a crash left them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ConfigError, InvalidValue, KeyNotFound
from .context import EvolutionContext, check, finished
from .portable import check_id
from .shared import get_context_store
from .store import EvolutionStore

Agent = Callable[[EvolutionContext], Awaitable[Mapping[str, Any] | None]]
"""Gets the context as it stands; returns the arguments of its phase's ``store_*``, or None if it stored them itself."""

PHASES: tuple[tuple[str, dict[str, str]], ...] = (
    ("research_and_analysis", {"research": "external_research", "analysis": "original_analysis"}),
    ("planning", {"plan": "improvement_plan"}),
    ("implementation", {"implement": "implementation_log"}),
    ("evaluation", {"evaluate": "evaluation_results"}),
)
"""Each phase with its agents, which run in parallel, and the section that each one's answer goes to."""

AGENTS = tuple(name for _, agents in PHASES for name in agents)


@dataclass(frozen=True, slots=True)
class EvolutionConfig:
    """What an engine runs.

    ``evolution_id`` names the evolution, which is made if there is none. Without it, ``resume`` takes up the newest
    unfinished one of the same target and focus areas; give ids where two engines work on one target at the same time.
    """

    target_path: str
    focus_areas: list[str] = field(default_factory=list)
    evolution_id: str | None = None
    resume: bool = True

    def __post_init__(self) -> None:
        check("target_path", self.target_path)
        check("focus_areas", self.focus_areas)
        if self.evolution_id is not None:
            check_id(self.evolution_id)


class EvolutionEngine:
    """Runs research and analysis in parallel, then plan, implement and evaluate.

    ``agents`` has one of each, under the names research, analysis, plan, implement and evaluate. The answer of
    "evaluate" may also hold ``current_state``, the arguments of ``store_current_state``. The store is the process-wide
    one unless given.
    """

    def __init__(
        self, config: EvolutionConfig, agents: Mapping[str, Agent], store: EvolutionStore | None = None
    ) -> None:
        missing = [name for name in AGENTS if not callable(agents.get(name))]
        unknown = sorted(set(agents) - set(AGENTS))
        if missing or unknown:
            raise ConfigError(
                f"the agents are {', '.join(AGENTS)}, each an async function: "
                + "; ".join(
                    [*(f"{name!r} is missing" for name in missing), *(f"{name!r} is not one" for name in unknown)]
                )
            )
        self.config = config
        self._agents = dict(agents)
        self._store = get_context_store() if store is None else store

    async def run_evolution(self) -> EvolutionContext:
        """Run every phase that is not done yet and return the context, its status "completed".

        When an agent raises, so does this: what the others of its phase found is stored, the error is in the log, and
        the status is "failed". After a crash the next run goes on with the agents that had not answered; a failed
        evolution goes on only by its id.
        """
        own = await self._begin()
        for phase, agents in PHASES:
            context = await self._context(own)
            waiting = {name: section for name, section in agents.items() if not getattr(context, section)}
            if not waiting:
                continue
            await self._store.update_phase(phase, own)
            context = await self._context(own)
            runs = (self._act(name, section, context) for name, section in waiting.items())
            errors = [each for each in await asyncio.gather(*runs, return_exceptions=True) if each is not None]
            if errors:
                for error in errors:
                    if isinstance(error, Exception):
                        said = f"{phase}: {type(error).__name__}: {error}"
                        await self._store.add_error(said.encode(errors="backslashreplace").decode(), own)
                if isinstance(errors[0], Exception):
                    await self._store.update_context("status", "failed", own)
                raise errors[0]
        await self._store.update_context("status", "completed", own)
        return await self._context(own)

    async def _begin(self) -> str:
        config, store = self.config, self._store
        own = config.evolution_id
        if own is None and config.resume:
            lines = await store.find_contexts()
            mine = [
                line["evolution_id"]
                for line in lines
                if (line["target_path"], line["focus_areas"]) == (config.target_path, config.focus_areas)
                and not finished(line["status"])
            ]
            own = mine[-1] if mine else None
        if own is None or await store.get_context(own) is None:
            own = await store.create_context(config.target_path, config.focus_areas, evolution_id=own)
        store.current_evolution_id = own
        return own

    async def _context(self, own: str) -> EvolutionContext:
        context = await self._store.get_context(own)
        if context is None:
            raise KeyNotFound(f"the evolution {own!r} was deleted, or expired, while it ran")
        return context

    async def _act(self, name: str, section: str, context: EvolutionContext) -> None:
        own = context.evolution_id
        answer = await self._agents[name](context)
        store = self._store if self._store.participant is not None else self._store.bind(f"agent:{name}")
        if answer is not None:
            await self._keep(store, name, section, answer, own)
        if not getattr(await self._context(own), section):
            raise InvalidValue(f"the agent {name!r} returned None and stored no {section}: return it, or store it")

    async def _keep(self, store: EvolutionStore, name: str, section: str, answer: Mapping[str, Any], own: str) -> None:
        if not isinstance(answer, Mapping):
            raise InvalidValue(f"the agent {name!r} returned {type(answer).__name__}: return a dict, or None")
        given = dict(answer)
        after = given.pop("current_state", None) if name == "evaluate" else None
        if after is not None:
            await _stored(store.store_current_state, "current_state", after, own)
        await _stored(getattr(store, f"store_{section}"), name, given, own)


async def _stored(verb: Callable[..., Awaitable[bool]], name: str, given: Any, own: str) -> None:
    try:
        storing = verb(**given, evolution_id=own)
    except TypeError as error:  # of the call itself: the names of arguments
        raise InvalidValue(f"the answer of {name!r} does not fit: {error}") from error
    await storing


__all__ = ["AGENTS", "PHASES", "Agent", "EvolutionConfig", "EvolutionEngine"]
