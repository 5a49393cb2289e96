"""ContextLLMCache: answers of models, kept in a store for all processes."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import Any

from sharedctx.errors import KeyNotFound, SharedContextError
from sharedctx.extras import extra

from .answers import read_answers, written_answers
from .kept import Kept

with extra("langchain", "ContextLLMCache"):
    from langchain_core.caches import RETURN_VAL_TYPE, BaseCache

_MISSED = "what lies under %s is not used: %s"
_NOT_KEPT = "an answer is not kept as %s: %s"
_log = logging.getLogger("sharedctx.langchain")


class ContextLLMCache(Kept, BaseCache):
    """Keeps what models answered, by prompt and settings: ``set_llm_cache(ContextLLMCache(path=...))``.

    ``given`` is an opened ``Store`` or a ``SharedContext``, else ``path=`` or ``url=`` name the store. Answers lie
    under ``prefix`` in ``session`` (default "llm-cache", so that they are in nobody's way; a context keeps its own).
    ``ttl`` is seconds to live. Only generations and messages are ever made of what is read: anything else in the store,
    like a damaged answer, is logged and counts as a miss, and so does a store that cannot be reached. Raises
    ``ConfigError``.
    """

    SESSION = "llm-cache"
    PREFIX = "answer/"

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
