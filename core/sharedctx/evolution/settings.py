"""Settings of an evolution store: in code, else from the environment, else the defaults."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any, Literal

from ..backends.registry import DEFAULT, default_address
from ..entries.names import check_session
from ..errors import ConfigError

MAX_CONTEXTS = 1000
EVERYBODY = "all"
"""The tenant of those who name none."""
TTL = 86400.0
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_FOREVER = frozenset({"none", "never"})


@dataclass(frozen=True, slots=True)
class EvolutionSettings:
    """``ttl`` is seconds from the last update, None for ever; raises ``ConfigError`` for what makes no sense."""

    address: str
    max_contexts: int
    ttl: float | None
    enable_compression: bool
    tenant: str = EVERYBODY

    def __post_init__(self) -> None:
        limit: Any = self.max_contexts
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise ConfigError(f"max_contexts {limit!r} is not a whole number from 1 up")
        ttl: Any = 0 if self.ttl is None else self.ttl
        if isinstance(ttl, bool) or not isinstance(ttl, int | float) or not 0 <= ttl < math.inf:
            raise ConfigError(f"ttl {ttl!r} is not a number of seconds from 0 up, or None for ever")
        if self.enable_compression not in (True, False):
            raise ConfigError(f"enable_compression {self.enable_compression!r} is not True or False")
        check_session(self.tenant, "tenant")


def settle(
    backend: str | None,
    path: str | os.PathLike[str] | None,
    max_contexts: int | None,
    ttl: float | Literal["environment"] | None,
    enable_compression: bool | None,
    tenant: str | None,
) -> EvolutionSettings:
    """Return the settings as given; what is not given is read from ``CONTEXT_STORE_*``."""
    return EvolutionSettings(
        address=_address(backend, path),
        max_contexts=_number("CONTEXT_STORE_MAX_SIZE", int, MAX_CONTEXTS) if max_contexts is None else max_contexts,
        ttl=_ttl() if ttl == "environment" else ttl,
        enable_compression=_flag("CONTEXT_STORE_COMPRESSION") if enable_compression is None else enable_compression,
        tenant=EVERYBODY if tenant is None else tenant,
    )


def _address(backend: str | None, path: str | os.PathLike[str] | None) -> str:
    if path is not None and backend not in (None, "disk"):
        raise ConfigError(f"path= is for the backend 'disk', not for {backend!r}: leave one of them out")
    if path is not None:
        return check_path("path", path)
    name = os.environ.get("CONTEXT_STORE_BACKEND") or "disk" if backend is None else backend
    if not isinstance(name, str):
        raise ConfigError(f"the backend {name!r} is no text")
    if "://" in name:
        return name
    usual = default_address()
    match name:
        case "memory":
            return "memory://"
        case "disk":
            return usual if "://" not in usual or usual.startswith("disk://") else DEFAULT
        case "redis" | "dynamodb":
            if usual.startswith(f"{name}://") or (name == "redis" and usual.startswith("rediss://")):
                return usual
            raise ConfigError(f"the backend {name!r} needs an address: pass its URL, or set SHAREDCTX_URL to it")
    raise ConfigError(f"the backend {name!r} is not memory, disk, redis, dynamodb or a URL")


def check_path(name: str, path: Any) -> str:
    """Return a directory's path as text; raises ``ConfigError``."""
    if not isinstance(path, str | os.PathLike) or not isinstance(os.fspath(path), str):
        raise ConfigError(f"{name} {path!r:.60} names no directory: pass text or a Path")
    return os.fspath(path)


def _number(name: str, kind: Any, default: Any) -> Any:
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    try:
        return kind(text)
    except ValueError:
        raise ConfigError(f"{name}={text!r} is not a number") from None


def _ttl() -> float | None:
    if os.environ.get("CONTEXT_STORE_TTL", "").strip().lower() in _FOREVER:
        return None
    found: float = _number("CONTEXT_STORE_TTL", float, TTL)
    return found


def _flag(name: str) -> bool:
    text = os.environ.get(name, "").strip().lower()
    if text in _TRUE or not text:
        return True
    if text in _FALSE:
        return False
    raise ConfigError(f"{name}={text!r} is not true or false")
