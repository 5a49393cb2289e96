"""What every backend refuses before it touches its storage: names, sort-key ranges and the bounds of a commit."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..errors import InvalidKey, InvalidValue, ValueTooLarge
from .base import (
    ABSENT,
    ANY,
    MAX_COMMIT_BYTES,
    MAX_NUMBER,
    MAX_OPS,
    MAX_VALUE_BYTES,
    NEXT,
    PRESENT,
    At,
    Check,
    Drop,
    Head,
    Op,
    Put,
    SortKey,
    When,
)


def check_name(text: str, what: str) -> None:
    """Raise ``InvalidKey`` unless ``text`` is non-empty text without lone surrogates; ``what`` names it."""
    if text.__class__ is str and text and text.isascii():
        return
    check_text(text, what)
    if not text:
        raise InvalidKey(f"the {what} is empty: name it with at least one character")


def check_text(text: str, what: str) -> None:
    """Raise ``InvalidKey`` unless ``text`` is text without lone surrogates; it may be empty (a prefix, a bound)."""
    if not isinstance(text, str):
        raise InvalidKey(f"the {what} must be text, not {type(text).__name__}: {text!r}")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidKey(f"the {what} {text!r} has a lone surrogate: it is no text, remove it") from None


def check_range(lo: SortKey, hi: SortKey | None) -> None:
    """Raise unless ``lo`` and ``hi`` are sort keys of one kind (``hi`` may be None)."""
    check_sort_key(lo)
    if hi is not None:
        check_sort_key(hi)
        if isinstance(lo, int) is not isinstance(hi, int):
            raise InvalidValue(f"the bounds {lo!r} and {hi!r} are of two kinds: give two numbers or two texts")


def check_sort_key(bound: SortKey) -> None:
    """Raise unless ``bound`` is a number (versions) or text (collection rows), as the bounds of reads are."""
    if bound.__class__ is int:
        return
    if not isinstance(bound, str):
        raise InvalidValue(f"the sort key {bound!r} is neither a version number nor text")
    check_text(bound, "sort key")


def check_ops(space: str, ops: Sequence[Op]) -> None:
    """Raise unless these operations may stand together in one commit to ``space``.

    Raises: ``InvalidKey`` (a name), ``ValueTooLarge`` (one value over 64 MiB), ``InvalidValue`` (all else).
    """
    check_name(space, "space")
    count = len(ops)
    if count == 1:
        _check_op(ops[0])
        return
    if count > MAX_OPS:
        raise InvalidValue(f"{count} operations for space {space!r} in one commit: split it, {MAX_OPS} are the most")
    named: set[tuple[str, object]] = set()
    puts = size = 0
    for op in ops:
        _check_op(op)
        if isinstance(op, Check):
            continue
        if isinstance(op, Put):
            puts += 1
            size += len(op.value)
        if (op.pk, op.sk) in named:
            row = "a new version" if op.sk is NEXT else f"row {op.sk!r}"
            raise InvalidValue(f"the commit names {row} of {op.pk!r} twice: use one operation, or two commits")
        named.add((op.pk, op.sk))
    if puts > 1 and size > MAX_COMMIT_BYTES:
        raise InvalidValue(
            f"{size} bytes in {puts} values for space {space!r} in one commit: split it, "
            f"{MAX_COMMIT_BYTES} are the most unless there is one value alone"
        )


def _check_op(op: Op) -> None:
    if isinstance(op, Put):
        pk, value, sk, expires, when = op
        check_name(pk, "partition key")
        # Exactly bytes: a Refused row written back would replace what it stands for by nothing.
        if value.__class__ is not bytes:
            raise InvalidValue(f"the value for {pk!r} must be bytes, not {type(value).__name__}")
        if len(value) > MAX_VALUE_BYTES:
            raise ValueTooLarge(f"the value for {pk!r} has {len(value)} bytes: {MAX_VALUE_BYTES} are the most")
        if expires is not None and not _is_time(expires):
            raise InvalidValue(f"the expiry {expires!r} for {pk!r} is no time: give seconds, or None for never")
    elif isinstance(op, Check):
        pk, when, sk = op
        check_name(pk, "partition key")
    elif isinstance(op, Drop):
        check_name(op.pk, "partition key")
        if op.sk.__class__ is not int:
            _check_row_name(op.pk, op.sk)
        return
    else:
        raise InvalidValue(f"{op!r} is no operation: use Put, Drop or Check")
    if sk is not NEXT:
        _check_row_name(pk, sk)
    if when is not ANY and when is not ABSENT:
        _check_head(pk, sk, when)


def _is_time(value: object) -> bool:
    return isinstance(value, float | int) and math.isfinite(value)


def _check_row_name(pk: str, sk: object) -> None:
    if not isinstance(sk, str):
        raise InvalidValue(f"the sort key {sk!r} for {pk!r} must be text here; version numbers are given by the store")
    check_name(sk, "sort key")


def _check_head(pk: str, sk: object, when: When) -> None:
    if when is PRESENT or (isinstance(when, At) and when.rev.__class__ is int):
        if sk is NEXT:
            raise InvalidValue(f"the condition {when!r} for {pk!r} is for collection rows: versions have Head(number)")
        return
    if not isinstance(when, Head) or when.sk.__class__ is not int:
        raise InvalidValue(
            f"the condition {when!r} for {pk!r} is none of ANY, ABSENT, PRESENT, Head(number) and At(revision)"
        )
    if any(number is not None and number.__class__ is not int for number in when):
        raise InvalidValue(f"the condition {when!r} for {pk!r} is of whole numbers: of versions, and of a revision")
    if when.number is not None and (when.given is None or not when.given < when.number <= MAX_NUMBER):
        raise InvalidValue(f"the condition {when!r} for {pk!r} names a number that does not follow the last one given")
    if sk is not NEXT:
        raise InvalidValue(
            f"row {sk!r} of {pk!r} has no versions: its condition is ANY, ABSENT, PRESENT or At(revision), not {when!r}"
        )


__all__ = ["check_name", "check_ops", "check_range", "check_sort_key", "check_text"]
