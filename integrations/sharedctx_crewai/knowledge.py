"""crewai's knowledge in a shared store: texts as entries, found by their vectors."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

from sharedctx import SharedContext, Store
from sharedctx.backends import steps
from sharedctx.backends.base import Op
from sharedctx.backends.steps import Steps
from sharedctx.entries.together import MOST, Change
from sharedctx.errors import InvalidValue
from sharedctx.extras import extra
from sharedctx.opening import Openable, Opening
from sharedctx.search import Entry, Vectors

from .address import segment
from .filters import least, listed, most

with extra("crewai", "crewai's knowledge"):
    from crewai.knowledge.storage.base_knowledge_storage import BaseKnowledgeStorage
    from pydantic import PrivateAttr

if TYPE_CHECKING:
    from crewai.rag.types import SearchResult

_LETTERS = 2**19
"""So many are saved in one commit, whatever bytes they take, or one text alone."""

Embedder = Callable[[list[str]], Sequence[Sequence[float]]]


class ContextKnowledge(Openable, BaseKnowledgeStorage):
    """Texts of a collection as entries ``knowledge/{collection}/{hash}``; the same text is kept once.

    ``embedder`` is a function from texts to vectors or crewai's embedder config (None: crewai's default). Takes an
    opened store or a ``SharedContext``, or ``path=`` / ``url=``.
    """

    _opening: Opening = PrivateAttr()
    _context: SharedContext = PrivateAttr()
    _collection: str = PrivateAttr()
    _embedder: Any = PrivateAttr()
    _index: Vectors = PrivateAttr()

    def __init__(
        self,
        store: Store | SharedContext | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        url: str | None = None,
        session: str | None = None,
        collection: str = "default",
        embedder: Embedder | dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self._opening = Opening(store, path=path, url=url)
        self._context = self._opening.context(session)
        self._collection = segment(collection, "the collection")
        self._embedder = embedder
        self._index = self._context.verbs.session.vectors(f"crewai-knowledge-{self._collection}")

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """A copied crew keeps its knowledge."""
        return self

    def save(self, documents: list[str]) -> None:
        """Add texts; raises ``InvalidValue`` for no list of texts, and for vectors that do not fit those before."""
        listed("documents", documents)
        texts = {self._key(text): text for text in documents or () if text}
        for first in range(0, len(texts), MOST // 2):
            some = list(texts.items())[first : first + MOST // 2]
            vectors = self._embed([text for _, text in some])
            start = size = 0
            for at, (_, text) in enumerate(some):
                if at > start and (self._context.settings.limited or size + len(text) > _LETTERS):
                    self._save(dict(some[start:at]), vectors[start:at])
                    start, size = at, 0
                size += len(text)
            self._save(dict(some[start:]), vectors[start:])

    def _save(self, texts: dict[str, str], vectors: list[list[float]]) -> None:
        def tell(numbers: Sequence[int]) -> Steps[tuple[Op, ...]]:
            told = zip(texts, numbers, vectors, strict=True)
            return (yield from self._index.write([Entry(key, n, [vector]) for key, n, vector in told]))

        context = self._context
        changes = [Change(key, text) for key, text in texts.items()]
        context.run(context.verbs.write_together(context.participant, changes, context.agent(None), tell))
        context.run(self._index.merge())

    def search(
        self,
        query: list[str],
        limit: int = 5,
        metadata_filter: dict[str, Any] | None = None,
        score_threshold: float = 0.6,
    ) -> list[SearchResult]:
        """Return the texts nearest to the queries together, with the cosine as score, from ``score_threshold`` up.

        Texts have no metadata: with a filter none fits. Raises ``InvalidValue``.
        """
        listed("query", query)
        count, lowest = most("limit", limit), least("score_threshold", score_threshold)
        if not query or metadata_filter:
            return []
        (vector,) = self._embed([" ".join(query)])
        found: list[SearchResult] = []
        for near in self._context.run(self._index.search(vector, count)):
            text = self._context.get(near.item.key, full=True)
            if isinstance(text, str) and near.score >= lowest:
                own = near.item.key.rpartition("/")[2]
                found.append({"id": own, "content": text, "metadata": {}, "score": max(near.score, 0.0)})
        return found

    def reset(self) -> None:
        """Remove the collection with its history."""
        self._context.run(self._erase())

    def _erase(self) -> Steps[None]:
        context, index = self._context, self._index
        items = yield from index.items()
        for start in range(0, len(items), MOST):
            keys = [item.key for item in items[start : start + MOST]]

            def tell(numbers: Sequence[int], keys: Sequence[str] = keys) -> Steps[tuple[Op, ...]]:
                return (yield from index.write(gone=list(zip(keys, numbers, strict=True))))

            changes = [Change(key, gone=True) for key in keys]
            yield from context.verbs.write_together(context.participant, changes, context.agent(None), tell)
            for key in keys:
                yield from steps.reclaim(index.space, key)
        yield from index.merge()
        yield from index.forget()

    async def asave(self, documents: list[str]) -> None:
        """``save``, off the event loop."""
        await self._context.store.driver.leave_loop(self.save, documents)

    async def asearch(
        self,
        query: list[str],
        limit: int = 5,
        metadata_filter: dict[str, Any] | None = None,
        score_threshold: float = 0.6,
    ) -> list[SearchResult]:
        """``search``, off the event loop."""
        leave = self._context.store.driver.leave_loop
        return await leave(self.search, query, limit, metadata_filter, score_threshold)

    async def areset(self) -> None:
        """``reset``, off the event loop."""
        await self._context.store.driver.leave_loop(self.reset)

    def _key(self, text: str) -> str:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return f"knowledge/{self._collection}/{digest}"

    def _embed(self, texts: list[str]) -> list[list[float]]:
        if not callable(self._embedder):
            if self._embedder is not None and not isinstance(self._embedder, dict):
                kind = type(self._embedder).__name__
                raise InvalidValue(f"{kind} is no embedder: pass a function from texts to vectors, or crewai's config")
            from crewai.rag.embeddings.factory import build_embedder

            self._embedder = build_embedder(self._embedder or {"provider": "openai", "config": {}})
        made = self._embedder(texts)
        try:
            found = [[float(number) for number in vector] for vector in made]
        except (TypeError, ValueError) as error:
            raise InvalidValue(f"the embedder made no vectors ({error}): it must return a list for each text") from None
        if len(found) != len(texts):
            raise InvalidValue(
                f"the embedder made {len(found)} vectors of {len(texts)} texts: it must make one of each"
            )
        return found
