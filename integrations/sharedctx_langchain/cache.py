"""ContextLLMCache: answers of models, kept in a store for all processes."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from typing import Any

from sharedctx.aio import AsyncSharedContext
from sharedctx.context import SharedContext
from sharedctx.entries.names import check_key
from sharedctx.errors import KeyNotFound, SharedContextError
from sharedctx.extras import extra
from sharedctx.opening import Openable, Opening
from sharedctx.settings import check_ttl
from sharedctx.store import Store

from .answers import read_answers, written_answers
from .tools import FACE

with extra("langchain", "ContextLLMCache"):
    from langchain_core.caches import RETURN_VAL_TYPE, BaseCache

_SESSION = "llm-cache"
_MISSED = "what lies under %s is not used: %s"
_NOT_KEPT = "an answer is not kept as %s: %s"
_log = logging.getLogger("sharedctx.langchain")


class ContextLLMCache(Openable, BaseCache):
    """Keeps what models answered, by prompt and settings: ``set_llm_cache(ContextLLMCache(path=...))``.

    ``given`` is an opened ``Store`` or a ``SharedContext``, else ``path=`` or ``url=`` name the store. Answers lie
    under ``prefix`` in ``session`` (default "llm-cache", so that they are in nobody's way; a context keeps its own).
    ``ttl`` is seconds to live. Only generations and messages are ever made of what is read: anything else in the store,
    like a damaged answer, is logged and counts as a miss, and so does a store that cannot be reached. Raises
    ``ConfigError``.
    """

    def __init__(
        self,
        given: Store | SharedContext | None = None,
        session: str | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        url: str | None = None,
        participant: str | None = None,
        prefix: str = "answer/",
        ttl: float | None = None,
    ) -> None:
        if ttl is not None:
            check_ttl(ttl)
        self._opening = Opening(given, path=path, url=url)
        over = isinstance(given, SharedContext)
        context = self._opening.context(session if over else session or _SESSION)
        who = context.participant if participant is None else participant
        self._context = context if who is None else context.bind(who, face=FACE)
        self._async = AsyncSharedContext.over(self._context)
        self._prefix = check_key(prefix)
        self._ttl = ttl

    def lookup(self, prompt: str, llm_string: str) -> RETURN_VAL_TYPE | None:
        """Return what was answered, or None."""
        key = self._key(prompt, llm_string)
        try:
            return read_answers(self._context.get(key, full=True))
        except SharedContextError as error:
            _log.warning(_MISSED, key, error)
            return None

    async def alookup(self, prompt: str, llm_string: str) -> RETURN_VAL_TYPE | None:
        """The same for event loops."""
        key = self._key(prompt, llm_string)
        try:
            return read_answers(await self._async.get(key, full=True))
        except SharedContextError as error:
            _log.warning(_MISSED, key, error)
            return None

    def update(self, prompt: str, llm_string: str, return_val: RETURN_VAL_TYPE) -> None:
        """Keep an answer; one that cannot be kept is logged."""
        key = self._key(prompt, llm_string)
        try:
            self._context.put(key, written_answers(return_val), ttl=self._ttl)
        except SharedContextError as error:
            _log.warning(_NOT_KEPT, key, error)

    async def aupdate(self, prompt: str, llm_string: str, return_val: RETURN_VAL_TYPE) -> None:
        """The same for event loops."""
        key = self._key(prompt, llm_string)
        try:
            await self._async.put(key, written_answers(return_val), ttl=self._ttl)
        except SharedContextError as error:
            _log.warning(_NOT_KEPT, key, error)

    def clear(self, **_: Any) -> None:
        """Remove all answers with their history."""
        for key in self._context.keys(self._prefix):
            try:
                self._context.erase(key)
            except KeyNotFound:  # another process did
                continue

    async def aclear(self, **_: Any) -> None:
        """The same for event loops."""
        await self._context.store.driver.leave_loop(self.clear)

    def _key(self, prompt: str, llm_string: str) -> str:
        spelled = json.dumps([prompt, llm_string]).encode()
        return f"{self._prefix}{hashlib.sha256(spelled).hexdigest()}"
