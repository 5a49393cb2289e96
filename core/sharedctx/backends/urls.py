"""The parts of an address that is a URL; what cannot be read, or would be left out, is refused."""

from __future__ import annotations

from urllib.parse import SplitResult, parse_qsl, urlsplit

from ..errors import ConfigError


def parts_of(url: str) -> SplitResult:
    """Split a URL; raises ``ConfigError``, which does not show the URL, for it may hold a password."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ConfigError(f"the store's address is no URL ({error}): write, for example, redis://localhost") from None
    if parts.fragment:
        raise ConfigError("the store's address has a '#', after which nothing is read: write %23 for one in a name")
    return parts


def parameters_of(parts: SplitResult) -> dict[str, str]:
    """What stands after the ``?``; raises ``ConfigError`` for a parameter without a value, or with two."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if not value:
            raise ConfigError(f"the parameter {name!r} in the store's address has no value: give one, or leave it out")
        if name in found:
            raise ConfigError(f"the parameter {name!r} stands twice in the store's address: give it once")
        found[name] = value
    return found
