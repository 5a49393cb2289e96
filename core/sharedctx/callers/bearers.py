"""Bearer tokens: made and revoked in the store, where only their hashes lie."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
import time
from contextlib import suppress
from typing import Any, NamedTuple

from ..backends import steps
from ..backends.base import ABSENT, PRESENT
from ..backends.steps import Steps
from ..entries.names import check_participant
from ..errors import ConditionFailed, InvalidValue, KeyNotFound, SharedContextError
from ..store import Store
from ..versions.collection import Collection

SPACE = "tokens"
_TOKEN = re.compile(r"sctx_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_CHECK_EVERY = 0.5
"""Seconds after which a token that was made or revoked elsewhere is known of."""


class Token(NamedTuple):
    """What the store knows of a token. ``participant`` None may do everything; times are the store's, in seconds."""

    id: str
    participant: str | None
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return self._asdict()


class Issued(NamedTuple):
    """A token as it is shown, once, and what the store keeps of it."""

    text: str
    token: Token


_OWNER = Token("", None, 0.0)


class Tokens:
    """The tokens of one store, as steps. Once one was made, the store's servers ask for one."""

    def __init__(self) -> None:
        self._rows = Collection(SPACE, "tokens")

    def make(self, participant: str | None, ttl: float | None = None) -> Steps[Issued]:
        """Make a token for a participant (None: for everything), for ``ttl`` seconds or for good.

        Raises ``ConfigError`` for a participant's name, ``InvalidValue`` for a time.
        """
        if participant is not None:
            check_participant(participant)
        if ttl is not None and not 0 < ttl < 10**10:
            raise InvalidValue(f"a token that lives {ttl!r} seconds is none: leave the time out, or give one above 0")
        now = yield from steps.now()
        own, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        token = Token(own, participant, now, None if ttl is None else now + ttl)
        row = {**token.to_dict(), "sha256": _digest(secret)}
        yield from steps.commit(SPACE, (self._rows.put(own, row, when=ABSENT),))
        return Issued(f"sctx_{own}_{secret}", token)

    def all(self) -> Steps[list[Token]]:
        """Return all tokens, revoked and expired ones too, the oldest first."""
        found = [_token(row) for row in (yield from self._rows.all()).values()]
        return sorted(found, key=lambda token: (token.created_at, token.id))

    def revoke(self, own: str) -> Steps[Token]:
        """Revoke the token of this id; raises ``KeyNotFound``."""
        row = yield from self._rows.get(own)
        if row is None:
            raise KeyNotFound(f"there is no token {own!r:.40}: `sharedctx token list` lists them")
        now = yield from steps.now()
        if row["revoked_at"] is None:
            row["revoked_at"] = now
            try:
                yield from steps.commit(SPACE, (self._rows.put(own, row, when=PRESENT),))
            except ConditionFailed:
                raise KeyNotFound(f"the token {own!r} is gone") from None
        return _token(row)

    def find(self, text: str) -> Steps[Token | None]:
        """Return the token that this text is, if it is one that counts now."""
        match = _TOKEN.fullmatch(text)
        if match is None:
            return None
        row = yield from self._rows.get(match[1])
        right = hmac.compare_digest(_digest(match[2]), "" if row is None else row["sha256"])
        if row is None or not right or row["revoked_at"] is not None:
            return None
        return None if (yield from steps.expired(row["expires_at"])) else _token(row)

    def any(self) -> Steps[bool]:
        """Whether a token was ever made."""
        return bool((yield from steps.scan(SPACE, self._rows.pk, "", limit=1)))


class Bearers:
    """The tokens that a server takes: its own, and those of the store as they stand."""

    def __init__(self, store: Store, own: str | None) -> None:
        self._store = store
        self._own = None if own is None else own.encode()
        self._tokens = Tokens()
        self._known: dict[str, Token] = {}
        self._needed = own is not None
        self._rev = -1
        self._checked = float("-inf")
        self._waiting: set[asyncio.Future[None]] = set()
        self._looks: asyncio.Task[None] | None = None

    @property
    def unasked(self) -> bool:
        """Whether callers need no token, as was found less than half a second ago."""
        return not self._needed and time.monotonic() - self._checked <= _CHECK_EVERY

    async def required(self) -> bool:
        """Whether callers must show a token; while the store does not answer, as it was known last.

        Raises ``SharedContextError`` where it has never answered.
        """
        if time.monotonic() - self._checked > _CHECK_EVERY:
            try:
                await self._check()
            except SharedContextError:
                if self._rev < 0 and not self._needed:
                    raise
        return self._needed

    async def _check(self) -> None:
        rev = await self._store.driver.run(steps.rev(SPACE))
        if rev != self._rev:
            needed = self._own is not None or await self._store.driver.run(self._tokens.any())
            self._known.clear()
            self._needed, self._rev = needed, rev
        self._checked = time.monotonic()

    async def refused(self, text: str | None) -> None:
        """Return once this token counts no more, or None will not do any more, within a second of that; not while the
        store does not answer."""
        while True:
            try:
                needed, rev = await self.required(), self._rev
                found = None if text is None else await self.find(text)
            except SharedContextError:
                await asyncio.sleep(_CHECK_EVERY)  # it must be asked for again, whatever happens to the store
                continue
            if needed and found is None:
                return
            if found is not None and found.expires_at is not None:
                await asyncio.sleep(_CHECK_EVERY)
            elif rev == self._rev:  # else it was found as it stood before
                await self._moved()

    async def _moved(self) -> None:
        """Return when tokens may have changed: one task looks for all who wait."""
        loop = asyncio.get_running_loop()
        news: asyncio.Future[None] = loop.create_future()
        self._waiting.add(news)
        if self._looks is None or self._looks.done():
            self._looks = loop.create_task(self._look(self._rev))
        try:
            await news
        finally:
            self._waiting.discard(news)

    async def _look(self, seen: int) -> None:
        while self._waiting:
            await asyncio.sleep(_CHECK_EVERY)
            with suppress(SharedContextError):
                await self.required()
            if self._needed and self._rev != seen:
                seen = self._rev
                for news in self._waiting:
                    if not news.done():
                        news.set_result(None)

    async def find(self, text: str) -> Token | None:
        """Return the token, or None where it is not one that counts."""
        if self._own is not None and hmac.compare_digest(text.encode("latin-1", "replace"), self._own):
            return _OWNER
        held = self._known.get(text)
        if held is not None and held.expires_at is None:
            return held
        rev = self._rev
        found = await self._store.driver.run(self._tokens.find(text))
        if found is not None and rev == self._rev:  # else it may have been revoked since it was read
            if len(self._known) > 1000:
                self._known.clear()
            self._known[text] = found
        return found


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(row: dict[str, Any]) -> Token:
    return Token(*(row[name] for name in Token._fields))
