"""The files of the page at ``/``: read once, sent with a policy that lets nothing else be loaded or run."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from .calls import Call, Refusal
from .replies import Header, Reply, compress

FOLDER = "/pages/"
_TYPES = {
    "css": b"text/css; charset=utf-8",
    "html": b"text/html; charset=utf-8",
    "ico": b"image/x-icon",
    "js": b"text/javascript; charset=utf-8",
    "json": b"application/json",
    "mjs": b"text/javascript; charset=utf-8",
    "png": b"image/png",
    "svg": b"image/svg+xml",
    "txt": b"text/plain; charset=utf-8",
    "woff2": b"font/woff2",
}
_POLICY: tuple[Header, ...] = (
    (b"content-security-policy", b"default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-cache"),
)


@cache
def pages() -> dict[str, Reply]:
    """The replies of the files in the folder ``pages`` of this package, by their paths in it."""
    found: dict[str, Reply] = {}

    def walk(folder: Traversable, prefix: str) -> None:
        for each in folder.iterdir():
            if each.is_dir():
                walk(each, f"{prefix}{each.name}/")
            elif (kind := _TYPES.get(each.name.rpartition(".")[2])) is not None:
                found[prefix + each.name] = _file(each.read_bytes(), kind)

    walk(files(__package__) / "pages", "")
    return found


def _file(data: bytes, kind: bytes) -> Reply:
    @cache
    def packed(encoding: str) -> bytes:
        return compress(data, encoding)

    tag = b'"%b"' % hashlib.sha256(data).hexdigest()[:32].encode()
    return Reply(200, data, ((b"etag", tag), *_POLICY), (b"content-type", kind), packed)


async def page(call: Call) -> Reply:
    """Return ``/``, or the file that the path names; 304 where the caller has it."""
    name = call.scope["path"].removeprefix(FOLDER) if call.scope["path"] != "/" else "index.html"
    found = pages().get(name)
    if found is None:
        raise Refusal(404, f"there is no page {name[:200]!r}")
    tag = found.headers[0][1]
    if tag in call.headers.get(b"if-none-match", b""):
        return Reply(304, b"", found.headers)
    return found
