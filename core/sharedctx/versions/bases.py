"""What a version is stored as the difference from: an earlier one, so that reads stay short and trims find a cut."""

from __future__ import annotations

from ..backends import steps
from ..backends.base import Row
from ..backends.steps import Steps
from ..errors import DecodeError
from .draft import DELTA_FROM, Draft
from .reading import Versions


def distance(number: int, size: int) -> int:
    """How many versions back a version of so many bytes builds: 1, every 16th 16; 0 where it is stored whole."""
    if size < DELTA_FROM or number % 256 == 0:
        return 0
    return 16 if number % 16 == 0 else 1


def base_for(
    versions: Versions, row: Row | None, number: int, draft: Draft, content: bytes | None = None
) -> Steps[tuple[int, bytes] | None]:
    """Choose the base of version ``number``: how many versions back it is and what it holds, or None.

    One that expires is never built upon. ``row`` is the version before, ``content`` what it holds where that is known.
    """
    back = distance(number, len(draft.content))
    if row is None or not back or draft.whole or not draft.compress:
        return None
    if back > 1:
        rows = yield from steps.scan(versions.space, row.pk, number - back, number - back + 1, limit=1)
        row = rows[0] if rows else None
    if row is None or row.expires is not None:
        return None
    if back == 1 and content is not None:
        return back, content
    try:
        version = versions.read_row(row)
        if not version.blob.live:
            return None
        base = yield from versions.content(version)
    except DecodeError:
        return None
    return back, base
