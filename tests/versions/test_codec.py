"""Blobs at rest: what is damaged or stands elsewhere does not read, whatever covers it."""

from __future__ import annotations

import hashlib

import pytest

from sharedctx.errors import DecodeError, UnsafeRow
from sharedctx.versions import codec
from sharedctx.versions.codec import Kind

BOUND = codec.binding("store", "space", "key", 1)
CONTENT = b'{"a":1,"b":"what was written"}'
DIGEST = hashlib.sha256(CONTENT).digest()

blobs = pytest.mark.parametrize(
    "blob",
    [
        codec.seal(BOUND, Kind.JSON, CONTENT, timestamp=1.0, agent="scout", note="n"),
        codec.seal(BOUND, Kind.JSON, CONTENT, timestamp=1.0, agent="scout", note="n", sha256=DIGEST),
        codec.seal(BOUND, Kind.JSON, CONTENT, timestamp=1.0, agent="scout", note="n", sha256=DIGEST, hashed=True),
        codec.seal(BOUND, Kind.JSON, CONTENT * 99, timestamp=1.0, sha256=DIGEST, hashed=True),
    ],
    ids=["checksum", "sha256 beside", "covered by its sha256", "compressed"],
)


@blobs
def test_what_was_written_reads(blob: bytes) -> None:
    found = codec.parse(BOUND, blob)
    assert codec.content(found, None) in (CONTENT, CONTENT * 99)
    assert found.sha256 in (None, DIGEST)


@blobs
def test_a_blob_with_any_bit_turned_or_any_end_cut_does_not_read(blob: bytes) -> None:
    for at in range(len(blob)):
        turned = bytearray(blob)
        turned[at] ^= 1 << at % 8
        for damaged in (bytes(turned), blob[:at]):
            with pytest.raises((DecodeError, UnsafeRow)):
                codec.parse(BOUND, damaged)


@blobs
def test_a_blob_reads_where_it_was_bound_to_alone(blob: bytes) -> None:
    elsewhere = codec.binding("store", "space", "key", 2)
    with pytest.raises(DecodeError):
        codec.parse(elsewhere, blob)
    moved = codec.rebind(BOUND, elsewhere, blob)
    assert codec.parse(elsewhere, moved) == codec.parse(BOUND, blob)
    with pytest.raises(DecodeError):
        codec.parse(BOUND, moved)
