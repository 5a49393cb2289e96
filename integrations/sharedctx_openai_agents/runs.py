"""Interrupted runs: kept in a context while a person decides, and gone on with in any process."""

from __future__ import annotations

import uuid
from typing import Any

from sharedctx.aio import AsyncSharedContext
from sharedctx.context import SharedContext
from sharedctx.errors import KeyNotFound
from sharedctx.extras import extra

with extra("openai-agents", "save_state"):
    from agents import Agent, RunState

from .filters import FACE

_PREFIX = "run/"


async def save_state(
    context: SharedContext,
    state: RunState[Any, Any],
    *,
    state_id: str | None = None,
    ttl: float | None = None,
    **how: Any,
) -> str:
    """Keep the state of a run, as ``result.to_state()`` gives it, and return its id (a new one by default).

    It lies under ``run/{id}``; saving again under the same id is a new version. ``ttl`` is seconds to keep it; further
    keywords go to ``RunState.to_string``. Raises ``InvalidKey`` for an odd id.
    """
    found = state_id or uuid.uuid4().hex
    await _over(context).put(_PREFIX + found, state.to_string(**how), ttl=ttl)
    return found


async def load_state(context: SharedContext, agent: Agent[Any], state_id: str, **how: Any) -> RunState[Any, Any]:
    """Return a run's state to approve or reject what it waits for, and to pass to ``Runner.run(agent, state)``.

    ``agent`` is the one the run began with; further keywords go to ``RunState.from_string``. Raises ``KeyNotFound``
    when there is none (any more).
    """
    text = await _over(context).get(_PREFIX + state_id, full=True)
    if text is None:
        raise KeyNotFound(f"no run was saved as {state_id!r}, or its time is over: save_state returns the id")
    return await RunState.from_string(agent, text, **how)


def _over(context: SharedContext) -> AsyncSharedContext:
    who = context.participant
    return AsyncSharedContext.over(context if who is None else context.bind(who, face=FACE))
