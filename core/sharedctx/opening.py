"""What an integration stands on: a store or context that it was given, or one that it opens and closes itself."""

from __future__ import annotations

import os
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .context import SharedContext
from .errors import ConfigError
from .store import Store
from .store import open as open_store


class Opening:
    """A store, and whether to close it: only what was opened here is closed here.

    ``given`` is an opened ``Store`` or a ``SharedContext``; else ``path`` or ``url`` name the store (default:
    ``SHAREDCTX_URL``, else ``./.sharedctx``), which is opened ``durable`` or not. Raises ``ConfigError`` when the store
    is named twice or oddly.
    """

    def __init__(
        self,
        given: Store | SharedContext | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        url: str | None = None,
        durable: bool = False,
    ) -> None:
        if sum(each is not None for each in (given, path, url)) > 1:
            raise ConfigError("name the store once: an opened one, path= or url=")
        if durable and given is not None:
            raise ConfigError("an opened store is durable or not already: say it where it is opened")
        if given is not None and not isinstance(given, Store | SharedContext):
            raise ConfigError(f"{type(given).__name__} is no Store and no SharedContext: pass one, or path= or url=")
        self._context = given if isinstance(given, SharedContext) else None
        self._own = open_store(path if path is not None else url, durable=durable) if given is None else None
        store = self._own or (self._context.store if self._context is not None else given)
        assert isinstance(store, Store)
        self.store: Store = store

    def context(self, session: str | None = None, **settings: Any) -> SharedContext:
        """Return the context that was given, else that of ``session`` (default "default") with ``SessionSettings``.

        Raises ``ConfigError`` when a context was given and something else is asked for.
        """
        if self._context is None:
            return self.store.session(session or "default", **settings)
        if settings or session not in (None, self._context.session):
            raise ConfigError("a context has its session and settings already: pass its store to choose others")
        return self._context

    def close(self) -> None:
        """Close the store if it was opened here; a second close does nothing."""
        if self._own is not None:
            self._own.close()


class Openable:
    """What the classes over an ``Opening`` share: made from a path or an URL, closed by hand or by ``with``.

    Their constructor takes a store or nothing first, and ``path=`` and ``url=``; ``_opening`` is theirs to set.
    """

    if TYPE_CHECKING:
        _opening: Opening

        def __init__(self, given: Store | SharedContext | None = None, *rest: Any, **options: Any) -> None: ...

    @classmethod
    def from_path(cls, path: str | os.PathLike[str], *rest: Any, **options: Any) -> Self:
        """Open the store in a directory; leaving the ``with`` block closes it. The rest is as for the class."""
        return cls(None, *rest, path=path, **options)

    @classmethod
    def from_url(cls, url: str, *rest: Any, **options: Any) -> Self:
        """Open the store at an URL; leaving the ``with`` block closes it. The rest is as for the class."""
        return cls(None, *rest, url=url, **options)

    def close(self) -> None:
        """Close the store if it was opened here; a second close does nothing."""
        self._opening.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def check_context(given: Any) -> SharedContext:
    """Return the context that an integration was given; raises ``ConfigError`` for anything else."""
    if not isinstance(given, SharedContext):
        raise ConfigError(
            f"{type(given).__name__} is no SharedContext: pass SharedContext(ID, path=...), the session(ID) of a store "
            "or the .sync of an AsyncSharedContext"
        )
    return given
