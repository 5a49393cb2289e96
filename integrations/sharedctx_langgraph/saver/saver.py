"""``ContextSaver``: LangGraph's checkpointer over a shared context store."""

from __future__ import annotations

import os
import random
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sharedctx import SharedContext, Store
from sharedctx.backends.steps import Steps, run
from sharedctx.driving.relay import Relay
from sharedctx.errors import InvalidKey, InvalidValue
from sharedctx.extras import extra
from sharedctx.opening import Openable, Opening
from sharedctx.settings import check_positive

from ..ready import Ready
from ..serializers import check_serde
from .history import history
from .keeping import Keeping
from .listing import Listing
from .packing import Packing
from .places import Place, check_text, place_of
from .threads import Threads

with extra("langgraph", "ContextSaver"):
    from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple, get_checkpoint_id
    from langgraph.checkpoint.serde.encrypted import EncryptedSerializer

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata

T = TypeVar("T")


class ContextSaver(Keeping, Openable, BaseCheckpointSaver[str]):
    """Saves a graph's checkpoints and writes in a shared context store; sync and async methods in one object.

    ``store`` is an opened store or a context, else ``path`` or ``url`` name one that this object opens and closes
    (``durable``: safe from power cuts too). ``serde`` is LangGraph's serializer; ``ttl`` is the seconds that a thread
    lives after its last checkpoint (None: for ever). A context manager for ``with`` and ``async with``.

    Raises ``ConfigError``, ``BackendUnavailable``, ``DiskFull`` when the store cannot be opened; reading raises
    ``DecodeError`` for a damaged checkpoint alone.
    """

    def __init__(
        self,
        store: Store | SharedContext | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        url: str | None = None,
        durable: bool = False,
        serde: Any = None,
        ttl: float | None = None,
    ) -> None:
        super().__init__(serde=check_serde(serde))
        if ttl is not None:
            check_positive("ttl", ttl, "seconds")
        if isinstance(self.serde, EncryptedSerializer):
            warnings.warn(
                "values encrypted by the serializer can be neither compressed nor stored as differences: a long "
                "conversation takes some fifty times the space",
                stacklevel=2,
            )
        self._opening = Opening(store, path=path, url=url, durable=durable)
        self._store = self._opening.store
        self._relay = Relay(self._store.backend, lambda: self._store.driver)
        self._threads = Threads(self._store.contents, ttl, remembers=self._store.backend.rev_tells_all)

    @classmethod
    def from_conn_string(cls, conn_string: str, **options: Any) -> ContextSaver:
        """Open by path or URL, ``":memory:"`` for a store of this object's own."""
        return cls(url="memory://" if conn_string == ":memory:" else conn_string, **options)

    @property
    def store(self) -> Store:
        """The store that holds the threads."""
        return self._store

    def setup(self) -> Ready:
        """Do nothing: stores are ready when they are open. May be awaited."""
        return Ready()

    def _run(self, steps: Steps[T]) -> T:
        self._store.check_open()
        return self._relay.run(steps)

    async def _arun(self, steps: Steps[T]) -> T:
        self._store.check_open()
        return await self._store.driver.run(steps)

    @property
    def _packing(self) -> Packing:  # with_allowlist copies the saver and gives the copy another serializer
        return Packing(self.serde)

    def _put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Steps[Any]:
        return self._threads.put(self._packing, config, place_of(config), checkpoint, metadata, new_versions)

    def _get(self, config: RunnableConfig) -> Steps[CheckpointTuple | None]:
        place = place_of(config)
        if place.id is None:
            return self._threads.get(self._packing, place)
        return self._get_named(config, place)

    def _get_named(self, config: RunnableConfig, place: Place) -> Steps[CheckpointTuple | None]:
        found = yield from self._threads.get(self._packing, place)
        return None if found is None else found._replace(config=config)

    def _listing(
        self, config: RunnableConfig | None, filter: dict[str, Any] | None, before: Any, limit: int | None
    ) -> Listing:
        place: Place | None = None if config is None else place_of(config)
        if before and not isinstance(before, Mapping):
            raise InvalidKey(f"before is no config but {before!r:.80}: pass that of a checkpoint")
        if filter is not None and not isinstance(filter, Mapping):
            raise InvalidValue(f"the filter {filter!r:.80} is no mapping of metadata")
        if limit is not None and not isinstance(limit, int):
            raise InvalidValue(f"the limit {limit!r:.80} is no whole number")
        bound = get_checkpoint_id(before) if before and before.get("configurable") else None
        if bound is not None:
            check_text(bound, "checkpoint_id of before")
        return Listing(self._threads, self._packing, place, filter=filter, before=bound, limit=limit)

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that the config names, or the thread's newest; None when there is none."""
        self._store.check_open()
        return run(self._store.backend, self._get(config))

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """``get_tuple`` for coroutines."""
        return await self._arun(self._get(config))

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Yield checkpoints, newest first: of the config's thread and namespace (all where it names none), of all
        threads without a config. ``filter`` compares metadata by equality; nothing is held between two of them."""
        listing = self._listing(config, filter, before, limit)
        while (found := self._run(listing.next())) is not None:
            yield found

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """``list`` for coroutines."""
        listing = self._listing(config, filter, before, limit)
        while (found := await self._arun(listing.next())) is not None:
            yield found

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint whose parent is the config's; returns the config that names it."""
        found: RunnableConfig = self._run(self._put(config, checkpoint, metadata, new_versions))
        return found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """``put`` for coroutines."""
        found: RunnableConfig = await self._arun(self._put(config, checkpoint, metadata, new_versions))
        return found

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Store what a task wrote on top of the config's checkpoint."""
        self._run(self._threads.put_writes(self._packing, place_of(config), writes, task_id, task_path))

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """``put_writes`` for coroutines."""
        await self._arun(self._threads.put_writes(self._packing, place_of(config), writes, task_id, task_path))

    def get_delta_channel_history(self, *, config: RunnableConfig, channels: Sequence[str]) -> Mapping[str, Any]:
        """Return for each channel its writes along the checkpoint's ancestors, oldest first, and where there is one the
        ``seed`` that they follow; the checkpoint's own writes are left out."""
        return self._run(history(self._threads, self._packing, place_of(config), channels))

    async def aget_delta_channel_history(self, *, config: RunnableConfig, channels: Sequence[str]) -> Mapping[str, Any]:
        """``get_delta_channel_history`` for coroutines."""
        return await self._arun(history(self._threads, self._packing, place_of(config), channels))

    def get_next_version(self, current: str | int | float | None, channel: None = None) -> str:
        """Return a channel's next version: a number that grows, and chance, so that forks differ."""
        number = int(str(current).partition(".")[0]) if current is not None else 0
        return f"{number + 1:032}.{random.random():016}"
