"""States of crewai's flows as versions of entries."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Self

from sharedctx import SharedContext, Store
from sharedctx.backends.base import Op
from sharedctx.backends.steps import Steps
from sharedctx.entries.together import Change
from sharedctx.entry import ContextEntry
from sharedctx.errors import InvalidValue
from sharedctx.extras import extra
from sharedctx.opening import Openable, Opening

from .address import segment

with extra("crewai", "persisting crewai's flows"):
    from crewai.flow.persistence.base import FlowPersistence
    from pydantic import BaseModel, PrivateAttr

if TYPE_CHECKING:
    from crewai.flow.async_feedback.types import PendingFeedbackContext


def _plain(value: Any) -> Any:
    """What JSON does not know, as crewai's own persistence spells it."""
    if isinstance(value, BaseModel):
        try:
            return value.model_dump(mode="json")
        except ValueError:  # pydantic's own: a field is of a type that JSON does not know
            return value.model_dump(mode="python")
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


class ContextFlowPersistence(Openable, FlowPersistence):
    """Keeps the state after every method as a version of ``flow/{id}/state``; for ``@persist`` and paused flows.

    Takes an opened store or a ``SharedContext``, or ``path=`` / ``url=`` of a store that ``close`` closes.
    """

    persistence_type: str = "ContextFlowPersistence"
    _opening: Opening = PrivateAttr()
    _context: SharedContext = PrivateAttr()

    def __init__(
        self,
        store: Store | SharedContext | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        url: str | None = None,
        session: str | None = None,
    ) -> None:
        super().__init__()
        self._opening = Opening(store, path=path, url=url)
        self._context = self._opening.context(session)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """A copied flow keeps its store."""
        return self

    def init_db(self) -> None:
        """The store makes itself on first use."""

    def save_state(self, flow_uuid: str, method_name: str, state_data: dict[str, Any] | BaseModel) -> None:
        """Write the state after a method as the next version; raises ``InvalidValue`` for no dict and no model."""
        self._put([Change(_key(flow_uuid), _stored(method_name, state_data))])

    def load_state(self, flow_uuid: str) -> dict[str, Any] | None:
        """Return the newest state, None when the flow is not known; raises ``InvalidValue`` for another's value."""
        found = self._found(_key(flow_uuid), "state")
        return None if found is None else found["state"]

    def save_pending_feedback(
        self, flow_uuid: str, context: PendingFeedbackContext, state_data: dict[str, Any] | BaseModel
    ) -> None:
        """Write the state and what the flow waits for, in one commit where the session has no limits."""
        stored = _stored(context.method_name, state_data)
        pending = {"state": stored["state"], "context": _json(context.to_dict(), context.method_name)}
        self._put([Change(_key(flow_uuid), stored), Change(_key(flow_uuid, "pending"), pending)])

    def load_pending_feedback(self, flow_uuid: str) -> tuple[dict[str, Any], PendingFeedbackContext] | None:
        """Return the state and what the flow waits for, None when it does not wait.

        Raises ``InvalidValue`` for another's value.
        """
        from crewai.flow.async_feedback.types import PendingFeedbackContext

        found = self._found(_key(flow_uuid, "pending"), "state", "context")
        return None if found is None else (found["state"], PendingFeedbackContext.from_dict(found["context"]))

    def clear_pending_feedback(self, flow_uuid: str) -> None:
        """Write down that the flow waits no more."""
        if self._context.get_entry(_key(flow_uuid, "pending")) is not None:
            self._put([Change(_key(flow_uuid, "pending"), gone=True)])

    def history(self, flow_uuid: str) -> list[ContextEntry]:
        """Return the versions of a flow's state, newest first."""
        return self._context.history(_key(flow_uuid))

    def _found(self, key: str, *names: str) -> dict[str, Any] | None:
        found = self._context.get(key, full=True)
        if found is None or (isinstance(found, dict) and found.keys() >= set(names)):
            return found
        raise InvalidValue(f"{key!r} is no state of a flow: roll it back, or name the flow otherwise")

    def _put(self, changes: list[Change]) -> None:
        def nothing(numbers: Sequence[int]) -> Steps[tuple[Op, ...]]:
            yield from ()
            return ()

        context = self._context
        for some in [[change] for change in changes] if context.settings.limited else [changes]:
            context.run(context.verbs.write_together(context.participant, some, context.agent(None), nothing))


def _key(flow: str, what: str = "state") -> str:
    return f"flow/{segment(flow, 'the id of the flow')}/{what}"


def _stored(method: str, state: dict[str, Any] | BaseModel) -> dict[str, Any]:
    if not isinstance(state, dict | BaseModel):
        raise InvalidValue(f"the state after {method!r} is {type(state).__name__}: use a dict or a pydantic model")
    return {"method": method, "state": _json(state, method)}


def _json(value: Any, method: str) -> Any:
    try:
        return json.loads(json.dumps(value, default=_plain))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidValue(f"the state after {method!r} is not JSON ({error}): use plain values") from None
