"""What is stored of a session's settings, or of the store's for all sessions: it binds every process that opens them.

A process reads them at most once a second, so that another's change reaches it within that time; its own at once.
"""

from __future__ import annotations

import time
from typing import Any, Final, NamedTuple

from ..backends.base import Put
from ..backends.steps import Steps
from ..errors import ConfigError, DecodeError
from ..settings import check_ttl
from ..versions.cache import ContentCache
from ..versions.collection import Collection
from .names import RESERVED

STORE: Final = "settings"
"""The space of the store's own settings."""
_PK: Final = RESERVED + "settings"
_ROW: Final = "settings"
_FRESH: Final = 1.0


class Configuration(NamedTuple):
    """Stored settings; None leaves it to the store's, and those to the default.

    ``ttl`` is seconds to live of entries put without one of their own, ``audit`` whether an audit log is kept.
    """

    ttl: float | None = None
    audit: bool | None = None

    def over(self, base: Configuration) -> Configuration:
        """These settings, and where they say nothing those of ``base``."""
        return Configuration(
            base.ttl if self.ttl is None else self.ttl, base.audit if self.audit is None else self.audit
        )

    def changed(self, changes: dict[str, Any]) -> Configuration:
        """These settings with changes; raises ``ConfigError`` for what they cannot be."""
        if unknown := changes.keys() - set(self._fields):
            raise ConfigError(
                f"{', '.join(sorted(unknown))}: no such stored setting; there are {', '.join(self._fields)}"
            )
        made = self._replace(**changes)
        if made.ttl is not None:
            check_ttl(made.ttl)
        if made.audit is not None and not isinstance(made.audit, bool):
            raise ConfigError(f"audit {made.audit!r:.60} is not True, False or None")
        return made


class Configured:
    """The stored settings of one session, or with the space ``STORE`` those for all sessions."""

    def __init__(self, space: str, cache: ContentCache) -> None:
        self._space = space
        self._cache = cache
        self._rows = Collection(space, _PK)

    def in_force(self) -> Steps[Configuration]:
        """Return these settings over the store's, read now or less than a second ago."""
        held = self.held()
        if held is not None:
            return held
        found = (yield from self.stored()).over((yield from Configured(STORE, self._cache).stored()))
        self._cache.configured[self._space] = (time.monotonic() + _FRESH, found)
        return found

    def held(self) -> Configuration | None:
        """Return these settings over the store's, if they were read less than a second ago."""
        held = self._cache.configured.get(self._space)
        return None if held is None or held[0] <= time.monotonic() else held[1]

    def stored(self) -> Steps[Configuration]:
        """Return what is stored in this space; raises ``DecodeError``."""
        row = yield from self._rows.get(_ROW)
        try:
            return Configuration() if row is None else Configuration().changed(row)
        except (TypeError, AttributeError, ConfigError) as error:
            raise DecodeError(f"the stored settings of {self._space} make no sense: {error}") from error

    def put(self, settings: Configuration) -> Put:
        """Return the operation that stores settings; ``forget`` when it was done."""
        return self._rows.put(_ROW, {name: value for name, value in settings._asdict().items() if value is not None})

    def forget(self) -> None:
        """Have the settings of all sessions read anew."""
        self._cache.configured.clear()
