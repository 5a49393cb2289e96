"""Which texts of an item are embedded, and their vectors, for threads and event loops."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sharedctx.errors import ConfigError, InvalidValue
from sharedctx.extras import extra

with extra("langgraph", "ContextStore"):
    from langgraph.store.base import ensure_embeddings, get_text_at_path, tokenize_path

Vector = Sequence[float]


class Texts:
    """The texts of one batch that need vectors, and the vectors once they are there."""

    def __init__(self) -> None:
        self.documents: dict[str, Vector] = {}
        self.queries: dict[str, Vector] = {}

    def want(self, documents: Iterable[str] = (), query: str | None = None) -> None:
        """Ask for the vectors of documents, or of a query; of each text once."""
        for text in documents:
            self.documents.setdefault(text, ())
        if query:
            self.queries.setdefault(query, ())


class Embedding:
    """Embeds by an ``IndexConfig``: ``dims``, ``embed`` (what LangChain takes) and ``fields`` (default: all of an item
    as one text). Raises ``ConfigError``."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        if not isinstance(config, Mapping):
            raise ConfigError(f"index {config!r:.80} is no IndexConfig: pass a dict with 'dims' and 'embed'")
        dims = config.get("dims")
        if isinstance(dims, bool) or not isinstance(dims, int) or dims < 1:
            raise ConfigError(f"index['dims'] {dims!r} is no number of dimensions: give that of the embedder's vectors")
        if config.get("embed") is None:
            raise ConfigError("index['embed'] is missing: give an embedder, a function, or 'provider:model'")
        self._dims = dims
        embed = config["embed"]
        if not callable(embed) and not isinstance(embed, str) and not hasattr(embed, "embed_documents"):
            raise ConfigError(
                f"index['embed'] {embed!r:.80} embeds nothing: give a function, or LangChain's embeddings"
            )
        try:
            self.embeddings = ensure_embeddings(embed)
        except ValueError as error:
            raise ConfigError(f"index['embed'] {embed!r:.80} cannot be had: {error}") from error
        fields = config.get("fields") or ("$",)
        if not isinstance(fields, list | tuple) or not all(isinstance(path, str) for path in fields):
            raise ConfigError(f"index['fields'] {fields!r:.80} is no list of paths: pass it as ['text']")
        self._fields = [_tokens(path) for path in fields]

    def texts(self, value: Any, index: Sequence[str] | bool | None) -> list[str]:
        """Return the texts of an item; ``index`` names other fields than the usual ones, False none."""
        if index is False:
            return []
        fields = self._fields if index is None or index is True else [_tokens(path) for path in index]
        found = (text for field in fields for text in get_text_at_path(value, field))
        return list(dict.fromkeys(found))

    def embed(self, texts: Texts) -> None:
        """Fill in the vectors. Raises what the embedder raises, and ``InvalidValue`` for vectors that do not fit."""
        documents = list(texts.documents)
        vectors = self.embeddings.embed_documents(documents) if documents else []
        queries = {query: self.embeddings.embed_query(query) for query in texts.queries}
        self._keep(texts, documents, vectors, queries)

    async def aembed(self, texts: Texts) -> None:
        """``embed`` for coroutines."""
        documents = list(texts.documents)
        vectors = await self.embeddings.aembed_documents(documents) if documents else []
        found = await asyncio.gather(*(self.embeddings.aembed_query(query) for query in texts.queries))
        self._keep(texts, documents, vectors, dict(zip(texts.queries, found, strict=True)))

    def _keep(
        self, texts: Texts, documents: list[str], vectors: Sequence[Vector], queries: Mapping[str, Vector]
    ) -> None:
        if not all(hasattr(each, "__len__") for each in (vectors, *(queries.values()))):
            raise InvalidValue("the embedder gave no list of vectors: it returns one vector for each text")
        if len(vectors) != len(documents):
            raise InvalidValue(f"the embedder gave {len(vectors)} vectors for {len(documents)} texts")
        for vector in (*vectors, *queries.values()):
            if not hasattr(vector, "__len__"):
                raise InvalidValue(
                    f"the embedder gave {vector!r:.60} in the place of a vector: it returns lists of numbers"
                )
            if len(vector) != self._dims:
                raise InvalidValue(f"the embedder gives {len(vector)} dimensions, index['dims'] says {self._dims}")
        texts.documents.update(zip(documents, vectors, strict=True))
        texts.queries.update(queries)


def _tokens(path: str) -> Any:
    return path if path == "$" else tokenize_path(path)
