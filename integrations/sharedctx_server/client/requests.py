"""Requests to a server: retried where that is safe, errors as the core's."""

from __future__ import annotations

import asyncio
import ssl
import uuid
from typing import Any
from urllib.parse import urlsplit

import httpx

from sharedctx import errors
from sharedctx.callers import is_loopback
from sharedctx.errors import (
    BackendUnavailable,
    Compacted,
    ConfigError,
    Forbidden,
    InvalidValue,
    KeyNotFound,
    SharedContextError,
    ValueTooLarge,
    VersionConflict,
)
from sharedctx.projects.state import parse_json
from sharedctx.settings import check_bound, check_duration

_AWAY = frozenset({502, 503, 504})
_LONGEST_WAIT = 30.0
_TIMEOUT = 30.0
_BY_STATUS: dict[int, type[SharedContextError]] = {
    400: InvalidValue,
    401: Forbidden,
    403: Forbidden,
    404: KeyNotFound,
    409: VersionConflict,
    413: ValueTooLarge,
}
_BY_CODE: dict[str, type[SharedContextError]] = {
    found.code: found
    for found in (getattr(errors, name) for name in errors.__all__)
    if found.__init__ is SharedContextError.__init__
}


class Away(BackendUnavailable):
    """No server answers, however often it was asked."""


def backoff(first: float, attempt: int) -> float:
    """Seconds to wait after a failed attempt (0 is the first): doubled each time, at most 30."""
    return float(min(first * 2 ** min(attempt, 16), _LONGEST_WAIT))


def host_of(url: Any) -> str:
    """The host that a server's address names; raises ``ConfigError`` for what is no such address."""
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.scheme in ("http", "https") and parts.port != 0 else None
    except (ValueError, TypeError, AttributeError):  # a port beyond all, half of an address in brackets, no text
        host = None
    if not host or not isinstance(host, str):
        raise ConfigError(f"{url!r:.200} is no address of a server: write for example http://localhost:3003")
    return host


def _check_sendable(token: Any) -> None:
    if not (isinstance(token, str) and token.isascii() and token.isprintable()):
        raise ConfigError("the token is no text of ASCII characters: pass it as `sharedctx token make` printed it")


class Requests:
    """HTTP requests of one agent. ``first_wait`` seconds pass before the first repetition, twice as many each time.

    Writes carry an Idempotency-Key, so that one whose answer was lost is not done twice.
    """

    def __init__(self, url: str, agent: str, token: str | None, retries: int, first_wait: float) -> None:
        self.loopback = is_loopback(host_of(url))
        check_bound("max_retries", retries, 0)
        check_duration("retry_wait", first_wait)
        if token is not None:
            _check_sendable(token)
        self.url = url.rstrip("/")
        self.headers = {"x-agent-id": agent} | ({"authorization": f"Bearer {token}"} if token is not None else {})
        self.attempts = 0
        self._retries = retries
        self._first_wait = first_wait
        self._http: httpx.AsyncClient | None = None

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            secure = urlsplit(self.url).scheme == "https"
            self._http = httpx.AsyncClient(
                base_url=self.url,
                headers={name.encode(): value.encode() for name, value in self.headers.items()},  # names of any script
                timeout=_TIMEOUT,
                trust_env=not self.loopback,
                # over http nobody shows a certificate: reading all that are trusted would take longer than a request
                verify=True if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            )
        return self._http

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        retries: int | None = None,
        request: str | None = None,
    ) -> httpx.Response:
        """Return a reply below 400; raises the error that the server names, or ``Away`` where none answers.

        ``request`` names the write; one is made up where it is not given.
        """
        more = dict(headers or {})
        if body is not None:
            more["content-type"] = "application/json"
        if method in ("PUT", "POST"):
            more["idempotency-key"] = request or uuid.uuid4().hex
        given = {name: value for name, value in (params or {}).items() if value is not None}
        left = self._retries if retries is None else retries
        for attempt in range(left + 1):
            self.attempts += 1
            wait = backoff(self._first_wait, attempt)
            try:
                reply = await self._client().request(method, path, params=given or None, content=body, headers=more)
            except httpx.TransportError as error:
                why = str(error) or type(error).__name__
            else:
                if reply.status_code not in _AWAY and reply.status_code != 429:
                    if reply.status_code >= 400:
                        raise error_of(reply)
                    return reply
                why = f"it answered {reply.status_code}"
                wait = max(wait, _seconds(reply.headers.get("retry-after")))
            if attempt < left:
                await asyncio.sleep(wait)
        raise Away(f"{self.url} does not answer ({why}): start it by `sharedctx serve`, or give fallback=")

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None


def _seconds(text: str | None) -> float:
    return min(float(text), _LONGEST_WAIT) if text is not None and text.isdecimal() else 0.0


def error_of(reply: httpx.Response) -> SharedContextError:
    """The error that a reply tells of."""
    try:
        found = parse_json(reply.content, "the reply")
        said = str(found["error"])
    except (SharedContextError, TypeError, KeyError):
        found, said = {}, reply.text[:200]
    if reply.status_code == 409 and found.get("code") in (None, VersionConflict.code):
        return VersionConflict(said, actual=found.get("currentVersion"), agent=found.get("agentId"))
    if found.get("code") == Compacted.code:
        return Compacted(said, oldest=int(found.get("oldest", 0)))
    kind = _BY_CODE.get(found.get("code", ""), _BY_STATUS.get(reply.status_code, BackendUnavailable))
    return kind(said if not found.get("detail") else f"{said}: {found['detail']}")
