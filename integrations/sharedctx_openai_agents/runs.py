"""Interrupted runs: kept in a context while a person decides, and gone on with in any process."""

from __future__ import annotations

import uuid
from typing import Any

from sharedctx.aio import AsyncSharedContext
from sharedctx.context import SharedContext
from sharedctx.errors import InvalidKey, InvalidValue, KeyNotFound
from sharedctx.extras import extra
from sharedctx.opening import check_context

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
    keywords go to ``RunState.to_string``. Raises ``InvalidKey`` for an odd id, ``InvalidValue`` for what is no state.
    """
    if not hasattr(state, "to_string"):
        raise InvalidValue(f"{type(state).__name__} is no state of a run: pass what result.to_state() returns")
    found = uuid.uuid4().hex if state_id is None else state_id
    await _over(context).put(_key(found), state.to_string(**how), ttl=ttl)
    return found


async def load_state(context: SharedContext, agent: Agent[Any], state_id: str, **how: Any) -> RunState[Any, Any]:
    """Return a run's state to approve or reject what it waits for, and to pass to ``Runner.run(agent, state)``.

    ``agent`` is the one the run began with; further keywords go to ``RunState.from_string``. Raises ``KeyNotFound``
    when there is none (any more), ``InvalidValue`` when something else lies there, and the SDK's ``UserError`` for a
    state that it cannot read.
    """
    text = await _over(context).get(_key(state_id), full=True)
    if text is None:
        raise KeyNotFound(f"no run was saved as {state_id!r}, or its time is over: save_state returns the id")
    if not isinstance(text, str):
        raise InvalidValue(
            f"{_key(state_id)!r} holds {type(text).__name__}, no state of a run: save_state writes those"
        )
    return await RunState.from_string(agent, text, **how)


def _key(state_id: Any) -> str:
    if not (isinstance(state_id, str) and state_id):
        raise InvalidKey(f"the state_id {state_id!r:.60} is no text that names a run: save_state returns one")
    return _PREFIX + state_id


def _over(context: SharedContext) -> AsyncSharedContext:
    who = check_context(context).participant
    return AsyncSharedContext.over(context if who is None else context.bind(who, face=FACE))
