"""From an address to a backend: ``memory://``, ``disk:///path`` or a plain path, and what packages register."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from ..errors import ConfigError
from .base import Backend

GROUP = "sharedctx.backends"
"""Entry points of this group map a URL scheme to a callable ``(url, *, durable, clock) -> Backend``."""

DEFAULT = "./.sharedctx"


def default_address() -> str:
    """``SHAREDCTX_URL`` if set, else ``./.sharedctx``."""
    return os.environ.get("SHAREDCTX_URL") or DEFAULT


def normalise(address: str | os.PathLike[str]) -> str:
    """Return one spelling for each store; raises ``ConfigError``."""
    try:
        text: str | bytes | None = os.fspath(address)
    except TypeError:
        text = None
    if not isinstance(text, str):
        raise ConfigError(f"the store's address {address!r:.60} is no text: name a directory or a URL")
    if not text or "\0" in text:
        raise ConfigError(f"the store's address {text!r} is empty or has a NUL: name a directory or a URL")
    if "://" not in text:
        return "disk://" + os.path.realpath(os.path.expanduser(text))
    from urllib.parse import unquote  # 2 ms with what it imports, for URLs only

    from .urls import parts_of

    parts = parts_of(text)
    if parts.scheme == "disk":
        if parts.netloc or not parts.path:
            raise ConfigError(f"{text!r} names no absolute path: write disk:///path")
        return "disk://" + os.path.realpath(unquote(parts.path))
    return text


def nothing_at(address: str) -> bool:
    """Whether a normalised address is a directory that holds nothing or is not there: opening it makes a new store."""
    if not address.startswith("disk://"):
        return False
    folder = address.removeprefix("disk://")
    if not os.path.isdir(folder):
        return not os.path.exists(folder)
    try:
        with os.scandir(folder) as found:
            return next(found, None) is None
    except PermissionError:  # which opening it tells
        return False


def open_backend(address: str, *, durable: bool = False, clock: Callable[[], float] = time.time) -> Backend:
    """Open the backend for a normalised address; raises ``ConfigError`` for an unknown scheme."""
    scheme, _, rest = address.partition("://")
    if scheme == "disk":
        from .disk import DiskBackend

        return DiskBackend(rest, durable=durable, clock=clock)
    if scheme == "memory":
        from .memory import MemoryBackend

        return MemoryBackend(rest or None, clock=clock)
    if scheme.split("+")[0] in ("redis", "rediss"):
        from .redis import RedisBackend

        return RedisBackend(address, durable=durable, clock=clock)
    if scheme == "dynamodb":
        from .dynamodb import DynamoDBBackend

        return DynamoDBBackend(address, durable=durable, clock=clock)
    from importlib.metadata import entry_points  # 25 ms, for other schemes only

    for found in entry_points(group=GROUP, name=scheme):
        backend: Backend = found.load()(address, durable=durable, clock=clock)
        return backend
    raise ConfigError(
        f"no backend for {scheme}:// is installed: use a path, disk:///, memory://, redis:// or dynamodb://"
    )
