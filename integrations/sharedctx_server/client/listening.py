"""Who wants to hear of what: handlers by event."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from sharedctx.errors import InvalidValue

log = logging.getLogger(__name__)

Handler = Callable[[dict[str, Any]], Awaitable[None] | None]

EVENTS: Final = (
    "cache_hit",
    "conflict",
    "connected",
    "context_deleted",
    "context_received",
    "context_set",
    "context_snapshot",
    "context_updated",
    "context_updated_realtime",
    "diff_applied",
    "disconnected",
    "error",
)


class Listening:
    """Handlers of events; one that fails is told to those of ``error`` and stops nothing."""

    def __init__(self) -> None:
        self._handlers: dict[str, list[Handler]] = {name: [] for name in EVENTS}

    def on(self, event: str, handler: Handler) -> Callable[[], None]:
        """Call ``handler`` at each event; returns what ends that. Raises ``InvalidValue`` for an unknown event."""
        if event not in self._handlers:
            raise InvalidValue(f"there is no event {event!r:.80}: there are {', '.join(EVENTS)}")
        if not callable(handler):
            raise InvalidValue(f"the handler {handler!r:.80} cannot be called")
        handlers = self._handlers[event]
        handlers.append(handler)

        def end() -> None:
            if handler in handlers:
                handlers.remove(handler)

        return end

    async def tell(self, event: str, **data: Any) -> None:
        """Call the handlers of an event in turn, with one dict."""
        for handler in tuple(self._handlers[event]):
            try:
                found = handler(dict(data))
                if inspect.isawaitable(found):
                    await found
            except Exception as error:
                log.warning("a handler of %s failed: %s", event, type(error).__name__)
                if event != "error":
                    await self.tell("error", error=error, message=f"a handler of {event} failed: {error}")
