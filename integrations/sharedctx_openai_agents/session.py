"""ContextSession: the history of a conversation for the SDK's runner, verbatim and shared by processes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from sharedctx.backends.steps import Steps
from sharedctx.context import SharedContext
from sharedctx.conversation import Conversation, Moment
from sharedctx.errors import InvalidValue
from sharedctx.extras import extra
from sharedctx.opening import Openable, Opening
from sharedctx.settings import check_bound
from sharedctx.store import Store
from sharedctx.tokens import TokenCounter, counting

with extra("openai-agents", "ContextSession"):
    from agents.memory.session_settings import SessionSettings, coerce_session_settings, resolve_session_limit

if TYPE_CHECKING:
    from agents.items import TResponseInputItem

T = TypeVar("T")


def begins_group(item: Any) -> bool:
    """Whether an item begins what belongs together: a user's message, up to the next one."""
    return isinstance(item, Mapping) and item.get("role") == "user"


def _items(given: Any) -> list[Any]:
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise InvalidValue(f"items are {type(given).__name__}: pass a list of dicts")
    items = list(given)
    if odd := [item for item in items if not isinstance(item, Mapping)]:
        raise InvalidValue(f"the item {odd[0]!r:.60} is {type(odd[0]).__name__}: pass dicts")
    return items


class ContextSession(Openable):
    """A session of the Agents SDK over a store (the ``Session`` protocol); of any number of processes at once.

    ``given`` is an opened ``Store`` or a ``SharedContext`` (whose session id is the default here), else ``path=`` or
    ``url=`` name the store. Items come back exactly as they were added. ``ttl`` (seconds) and ``max_tokens`` (by
    ``count_tokens``) trim whole groups, a user's message with all that answers it: a model never meets an output
    without its call. What has expired is removed from the store; what is over the budget is only not given.
    Raises ``ConfigError``, ``InvalidKey``, ``InvalidValue``; its methods ``SharedContextError``.
    """

    session_settings: SessionSettings | None

    def __init__(
        self,
        given: Store | SharedContext | None = None,
        session_id: str | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        url: str | None = None,
        ttl: float | None = None,
        max_tokens: int | None = None,
        count_tokens: TokenCounter | None = None,
        session_settings: SessionSettings | dict[str, Any] | None = None,
    ) -> None:
        if max_tokens is not None:
            check_bound("max_tokens", max_tokens)
        self.session_settings = (
            SessionSettings() if session_settings is None else coerce_session_settings(session_settings)
        )
        if session_id is None:
            session_id = given.session if isinstance(given, SharedContext) else "default"
        self.session_id = session_id
        self._ttl = ttl
        self._max_tokens = max_tokens
        self._count = counting(count_tokens)
        self._opening = Opening(given, path=path, url=url)
        self._conversation = self._named(session_id)

    def _named(self, session_id: str) -> Conversation:
        store = self._opening.store
        return Conversation(store.backend.id, session_id, store.contents, begins_group, ttl=self._ttl)

    async def get_items(self, limit: int | None = None, wrapper: Any = None) -> list[TResponseInputItem]:
        """Return the items, oldest first; with ``limit`` (or that of ``session_settings``) just the latest ones."""
        most = resolve_session_limit(limit, self.session_settings)
        if isinstance(most, bool) or not isinstance(most, int | None):
            raise InvalidValue(f"limit {most!r:.60} is not a whole number")
        if most is not None and most < 0:
            most = None
        return await self._run(self._conversation.items(most, budget=self._max_tokens, count=self._count))

    async def add_items(self, items: list[TResponseInputItem], wrapper: Any = None) -> None:
        """Append items, all of them or none; raises ``InvalidValue`` for what is no list of dicts."""
        if given := _items(items):
            await self._finish(self._conversation.add(given))

    async def pop_item(self, wrapper: Any = None) -> TResponseInputItem | None:
        """Remove and return the last item; None when there is none. No two callers get the same one."""
        item: TResponseInputItem | None = await self._finish(self._conversation.pop())
        return item

    async def clear_session(self, wrapper: Any = None) -> None:
        """Remove all items with their history."""
        await self._finish(self._conversation.clear())

    async def history(self, limit: int = 100, before: int | None = None) -> list[Moment]:
        """Return the changes of this session, newest first: version, time, what was done and how many items came."""
        return await self._run(self._conversation.history(limit, before))

    async def items_at(self, version: int) -> list[TResponseInputItem]:
        """Return the items as they were at a version of ``history``; raises ``KeyNotFound`` when it is gone."""
        return await self._run(self._conversation.items(version=version))

    async def branch(self, at: int | None = None, *, session_id: str | None = None) -> ContextSession:
        """Return a new session with the items of this one as they were at a version (default: now).

        ``session_id`` names it; by default this session's with ``.2``, ``.3`` and so on. Raises ``SessionExists`` when
        the name is taken, ``KeyNotFound`` for a version that there is not.
        """
        number = 2
        while True:
            name = f"{self.session_id}.{number}" if session_id is None else session_id
            branch = ContextSession.__new__(ContextSession)
            branch.__dict__.update(self.__dict__, session_id=name, _conversation=self._named(name))
            branch._opening = Opening(self._opening.store)
            if session_id is None and await branch.history(1):
                number += 1
                continue
            await self._finish(self._conversation.branch(branch._conversation, at))
            return branch

    async def _run(self, steps: Steps[T]) -> T:
        self._opening.store.check_open()
        return await self._opening.store.driver.run(steps)

    async def _finish(self, steps: Steps[T]) -> T:
        """Run a change to its end even when the caller is cancelled meanwhile: it is never left half told."""
        task = asyncio.ensure_future(self._run(steps))
        cancelled: asyncio.CancelledError | None = None
        while not task.done():
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError as error:
                cancelled = cancelled or error
        if cancelled is not None:
            task.exception()
            raise cancelled
        return task.result()
