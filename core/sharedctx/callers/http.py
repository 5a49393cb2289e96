"""Who may call a server over HTTP: by which of its names, from which pages, with which token."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from ..backends.steps import run
from ..errors import ConfigError
from ..store import Store
from .bearers import Tokens

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_LEAST_TOKEN = 16


def is_loopback(host: str) -> bool:
    """Whether only this machine can call a server that listens on ``host``."""
    try:
        return host in LOOPBACK or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Callers:
    """The names that a server on ``host`` goes by, and the web origins whose pages may call it.

    Any name of this machine's loopback counts, and where others can call also any address in numbers. Raises
    ``ConfigError`` for names that are no text, and for an origin that is not written out.
    """

    def __init__(self, host: str, allow_hosts: Sequence[str] = (), allow_origins: Sequence[str] = ()) -> None:
        if not isinstance(host, str):
            raise ConfigError(f"host {host!r:.60} is no text: name the address to listen on, such as 127.0.0.1")
        for what, names in (("allow_hosts", allow_hosts), ("allow_origins", allow_origins)):
            if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
                raise ConfigError(f"{what} {names!r:.60} is no list of names: pass ('one', 'another')")
        if any(origin == "*" or "://" not in origin or origin.endswith("/") for origin in allow_origins):
            raise ConfigError("an allowed origin is written out, such as https://app.example.org, without a path")
        self._hosts = {name.lower() for name in (*LOOPBACK, host, *allow_hosts)}
        self._numeric = not is_loopback(host)
        self._origins = frozenset(allow_origins)

    def knows(self, host: str) -> bool:
        """Whether a Host header names this server: another name is a page that was rebound to it."""
        name = _hostname(host)
        if name in self._hosts:
            return True
        if not self._numeric:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def admits(self, origin: str, host: str) -> bool:
        """Whether pages of an Origin may call: the server's own, and those that were allowed."""
        if origin in self._origins:
            return True
        try:
            return "://" in origin and urlsplit(origin).netloc.lower() == host.lower()
        except ValueError:  # half of an address in brackets
            return False


def _hostname(host: str) -> str:
    """The name of a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def bearer(authorization: bytes) -> str | None:
    """Return the token of an Authorization header, or None."""
    kind, _, token = authorization.decode("latin-1").partition(" ")
    return token.strip() or None if kind.lower() == "bearer" else None


def check_port(port: object) -> None:
    """Raise ``ConfigError`` for what is no port; 0 is any that is free."""
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
        raise ConfigError(f"port {port!r:.60} is not a whole number from 0 to 65535")


def check_token(token: str | None) -> None:
    """Raise ``ConfigError`` for a token that is short, has odd characters, or is no text."""
    if token is not None and not isinstance(token, str):
        raise ConfigError(
            f"the token is {type(token).__name__}, no text: take one such as `sharedctx token make` prints"
        )
    if token is not None and (len(token) < _LEAST_TOKEN or not token.isascii() or not token.isprintable()):
        raise ConfigError(
            f"the token is too short or has odd characters: take {_LEAST_TOKEN} or more, such as "
            "`sharedctx token make` prints"
        )


def read_token(file: str | None) -> str | None:
    """Return the token in a file, or without one that of ``SHAREDCTX_TOKEN``; raises ``ConfigError``."""
    if file is None:
        return os.environ.get("SHAREDCTX_TOKEN") or None
    try:
        text = Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the token file {file} cannot be read: {error}") from None
    if not text:
        raise ConfigError(f"the token file {file} is empty")
    return text


def require_token(host: str, token: str | None, store: Store | None) -> None:
    """Raise ``ConfigError`` where other machines can call and no token is asked for; ``store`` None is one that is
    still to be made."""
    if is_loopback(host) or token is not None or (store is not None and run(store.backend, Tokens().any())):
        return
    raise ConfigError(
        f"{host} lets other machines call, and no token is set: set SHAREDCTX_TOKEN, use --token-file, or "
        "make one by `sharedctx token make`"
    )
