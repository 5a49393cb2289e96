"""The feed of a space: what its commits changed, page by page, without what was replaced since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...errors import Compacted
from ..base import Change, SortKey
from . import layout
from .reading import Reading

_PAGE = 200


def changes(reading: Reading, space: str, since: int, limit: int) -> list[Change]:
    """See ``Backend.changes``."""
    found: list[Change] = []
    for page in _pages(reading, space, max(since, 0), min(limit, _PAGE)) if limit > 0 else ():
        found += _present(reading, space, page)
        if len(found) >= limit:
            break
    # Read last: a feed that was not cut by now was whole when it was read.
    meta = reading.meta(space)
    future = since > meta.rev and not _is_known(reading, space, since)
    if future or meta.mark > max(since, 0):
        why = "lies in the future" if future else "was trimmed"
        raise Compacted(
            f"revision {since} of space {space!r} {why}: read the state, then follow from {meta.mark}", oldest=meta.mark
        )
    if len(found) > limit:
        found = [change for change in found if change.rev <= found[limit - 1].rev]
    return found


def trim(reading: Reading, space: str, mark: int) -> None:
    """Remove pages that tell nothing after revision ``mark``."""
    h = reading.keys.space(space)
    for items in reading.between(h, "f", f"f{layout.padded(mark)}", ProjectionExpression="r"):
        reading.calls.write([{"DeleteRequest": {"Key": layout.key(h, item["r"]["S"])}} for item in items])


def _is_known(reading: Reading, space: str, rev: int) -> bool:
    """Whether the feed has a revision that the space's state does not tell of yet: each item of a transaction that is
    just being done is seen when its turn has come."""
    return any(reading.between(reading.keys.space(space), f"f{layout.padded(rev)}", "f:", Limit=1))


def _pages(reading: Reading, space: str, since: int, size: int) -> Iterator[list[Change]]:
    lo, hi = f"f{layout.padded(since + 1)}", "f:"
    for items in reading.between(reading.keys.space(space), lo, hi, Limit=size):
        told = [change for item in items for change in layout.unpacked(bytes(item["d"]["B"]))]
        yield [change for change in told if change.rev > since]


def _present(reading: Reading, space: str, page: Sequence[Change]) -> list[Change]:
    """The changes without puts of rows that were put again since; of rows that are gone now, puts may stay or not."""
    next_op: dict[tuple[str, SortKey], str] = {}
    kept: list[tuple[Change, bool]] = []
    for change in reversed(page):
        place = (change.pk, change.sk)
        replaced = change.op == "put" and next_op.get(place) == "put"
        if not replaced:
            kept.append((change, change.op == "put" and isinstance(change.sk, str) and place not in next_op))
        next_op[place] = change.op
    last = [(change.pk, change.sk) for change, newest in kept if newest]
    held = reading.held(space, last) if last else {}
    return [
        change
        for change, newest in reversed(kept)
        if not newest or ((row := held.get((change.pk, change.sk))) is not None and row.rev == change.rev)
    ]
