"""What the classes share that keep LangChain's things as entries below a prefix of a session."""

from __future__ import annotations

import os
from typing import ClassVar

from sharedctx.aio import AsyncSharedContext
from sharedctx.context import SharedContext
from sharedctx.entries.names import check_key
from sharedctx.opening import Openable, Opening
from sharedctx.settings import check_ttl
from sharedctx.store import Store

from .tools import FACE


class Kept(Openable):
    """A session to keep them in, the prefix of their keys, and their seconds to live."""

    SESSION: ClassVar[str]
    """The session of a store where none is named."""
    PREFIX: ClassVar[str]
    """The prefix where none is named."""

    def __init__(
        self,
        given: Store | SharedContext | None = None,
        session: str | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        url: str | None = None,
        participant: str | None = None,
        prefix: str | None = None,
        ttl: float | None = None,
    ) -> None:
        if ttl is not None:
            check_ttl(ttl)
        self._ttl = ttl
        self._prefix = check_key(self.PREFIX if prefix is None else prefix)
        self._opening = Opening(given, path=path, url=url)
        context = self._opening.context(session if isinstance(given, SharedContext) else session or self.SESSION)
        who = context.participant if participant is None else participant
        self._context = context if who is None else context.bind(who, face=FACE)
        self._async = AsyncSharedContext.over(self._context)
