"""Addresses of resources: ``context://{session}/{key}``, and ``context://{session}`` for what there is."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qs, quote, unquote, urlsplit

from sharedctx.errors import InvalidKey

SCHEME = "context"


class Address(NamedTuple):
    """What a resource's URI names: an entry, or without a ``key`` the list of them.

    ``version`` is an older one; ``full`` asks for the exact value in place of its view.
    """

    session: str
    key: str | None = None
    version: int | None = None
    full: bool = False

    @property
    def uri(self) -> str:
        """The URI that clients are told; of one entry always the same."""
        if self.key is None:
            return f"{SCHEME}://{self.session}"
        # clients drop segments that are a single dot, unless the slashes around them are escaped
        safe = "" if "." in self.key.split("/") else "/"
        return f"{SCHEME}://{self.session}/{quote(self.key, safe=safe)}"

    @classmethod
    def read(cls, uri: str) -> Address:
        """Read a URI however it is escaped; raises ``InvalidKey`` for what is none."""
        try:
            parts = urlsplit(uri)
            key = unquote(parts.path[1:], errors="strict")
            asked = parse_qs(parts.query, keep_blank_values=True)
        except ValueError:
            raise _odd(uri) from None
        if parts.scheme != SCHEME or not parts.netloc or parts.fragment or asked.keys() - {"version", "full"}:
            raise _odd(uri)
        version = asked["version"][-1] if "version" in asked else None
        if version is not None and not (version.isascii() and version.isdecimal() and len(version) < 20):
            raise _odd(uri)
        full = asked.get("full", ["false"])[-1] in ("", "true", "1")
        return cls(parts.netloc, key or None, None if version is None else int(version), full)


def _odd(uri: str) -> InvalidKey:
    return InvalidKey(
        f"{uri!r:.200} is no address of an entry: write context://SESSION/KEY, with ?version=N or ?full=true"
    )
