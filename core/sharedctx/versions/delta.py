"""Bytes as the difference from others, and compression that may look at what the reader already has.

A difference is trimmed: what both begin and end with is only counted, the rest is compressed with its old counterpart,
a little of what stands before it and ``also`` (other bytes that the reader has) as dictionary. A few bytes at the
head always travel: serialised lists begin with their length, which would hide all that follows.

::

    prefix 4 | suffix 4 | the compressed head and middle

What is compressed is a zstd frame without its magic number; a little with a small dictionary is a raw zlib stream, as
the sizes tell, which the reader has too.
"""

from __future__ import annotations

import contextlib
import struct
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, Final

from ..errors import DecodeError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_CUTS: Final = struct.Struct(">II")
_LEVEL: Final = 3
_HEAD: Final = 16
_CONTEXT: Final = 8192
_LARGEST_CONTEXT: Final = 65536
_GLIMPSE: Final = 16
_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_DICTIONARY: Final = 1 << 20
_SMALL: Final = 1 << 14
_MEDIUM: Final = 1 << 15
_LITTLE: Final = 1024
_LEVEL_SMALL: Final = 4
_MEMORY_SMALL: Final = 5
_STREAM_WINDOW: Final = 23
_OPTIONS: Final[dict[int, int]] = {zstd.CompressionParameter.compression_level: _LEVEL}
# Tables of the usual size cost more to lay out than a few kilobytes cost to compress.
_SMALL_OPTIONS: Final[dict[int, int]] = {
    **_OPTIONS,
    zstd.CompressionParameter.window_log: 14,
    zstd.CompressionParameter.hash_log: 12,
    zstd.CompressionParameter.chain_log: 12,
}
# Of those the memory is new at every frame, and finding its pages takes longer than the compression.
_MEDIUM_OPTIONS: Final[dict[int, int]] = {
    **_OPTIONS,
    zstd.CompressionParameter.window_log: 15,
    zstd.CompressionParameter.hash_log: 14,
    zstd.CompressionParameter.chain_log: 14,
}
_ALONE_OPTIONS: Final = {**_SMALL_OPTIONS, zstd.CompressionParameter.compression_level: 1}
_kept = threading.local()


def difference(data: bytes, base: bytes, also: bytes = b"") -> bytes:
    """Return ``data`` as its difference from ``base``."""
    shortest = min(len(data), len(base))
    if shortest <= _HEAD:
        prefix = suffix = 0
        middle = data
    else:
        prefix = _common(data, base, shortest)
        suffix = _common_end(data, base, shortest - prefix)
        middle = data[:_HEAD] + data[prefix : len(data) - suffix]
    known = base[_context(prefix, len(middle)) : len(base) - suffix]
    return _CUTS.pack(prefix, suffix) + deflate(middle, known + also)


def alike(data: bytes, base: bytes) -> bool:
    """Whether at least half of ``data`` stands at the beginning or the end of ``base``."""
    if data[_HEAD : _HEAD + _GLIMPSE] != base[_HEAD : _HEAD + _GLIMPSE] and data[-_GLIMPSE:] != base[-_GLIMPSE:]:
        return False
    shortest = min(len(data), len(base))
    prefix = _common(data, base, shortest) if shortest > _HEAD else 0
    return 2 * prefix >= len(data) or 2 * (prefix + _common_end(data, base, shortest - prefix)) >= len(data)


def repeats(data: bytes, other: bytes) -> bool:
    """Whether one of two glimpses of ``data`` stands in ``other``."""
    third = len(data) // 3
    return data[third : third + _GLIMPSE] in other or data[2 * third : 2 * third + _GLIMPSE] in other


def restore(payload: bytes, size: int, base: bytes, also: bytes = b"") -> bytes:
    """Return the ``size`` bytes whose difference from ``base`` this is; raises ``DecodeError``."""
    return Laid.of(base).changed(payload, size, also).joined()


class Laid:
    """Bytes as parts of others laid end to end: a chain of differences is followed without a copy at every step."""

    def __init__(self, parts: list[tuple[bytes, int, int]], size: int, own: int) -> None:
        self._parts = parts
        self.size = size
        self.own = own
        """How many of the bytes no other has."""

    @classmethod
    def of(cls, content: bytes) -> Laid:
        """All of a content."""
        return cls([(content, 0, len(content))], len(content), len(content))

    def changed(self, payload: bytes, size: int, also: bytes = b"") -> Laid:
        """Return the ``size`` bytes whose difference from these this is; raises ``DecodeError``."""
        if len(payload) < _CUTS.size:
            raise DecodeError("the stored difference is cut short")
        prefix, suffix = _CUTS.unpack_from(payload)
        head = _HEAD if prefix else 0
        middle = size - prefix - suffix + head
        end = self.size - suffix
        if middle < head or prefix > end or 0 < prefix < _HEAD:
            raise DecodeError("the stored difference does not fit the version it builds on")
        known = _joined(self._cut(_context(prefix, middle), end))
        inner = inflate(payload[_CUTS.size :], middle, known + also if also else known)
        parts = [(inner, 0, head), *self._cut(head, prefix), (inner, head, middle), *self._cut(end, self.size)]
        return Laid([part for part in parts if part[1] < part[2]], size, middle)

    def joined(self) -> bytes:
        """The bytes in one."""
        return _joined(self._parts)

    def _cut(self, start: int, end: int) -> list[tuple[bytes, int, int]]:
        found: list[tuple[bytes, int, int]] = []
        at = 0
        for part in self._parts:
            content, low, high = part
            after = at + high - low
            if after > start:
                if at >= start and after <= end:
                    found.append(part)
                elif at < end:
                    found.append((content, low + max(start - at, 0), high - max(after - end, 0)))
                if after >= end:
                    break
            at = after
        return found


def _joined(parts: list[tuple[bytes, int, int]]) -> bytes:
    if len(parts) == 1:
        content, low, high = parts[0]
        return content[low:high]
    return b"".join([memoryview(content)[low:high] for content, low, high in parts])


def deflate(data: bytes, known: bytes = b"") -> bytes:
    """Compress ``data`` for a reader who has ``known``; without the four bytes that every frame begins with."""
    size = len(data)
    if len(known) < 8:
        return _alone(data) if size <= _SMALL else zstd.compress(data, _LEVEL)[len(_MAGIC) :]
    if _by_zlib(size, known):
        window = -12 if size + len(known) <= 4096 else -15
        small = zlib.compressobj(_LEVEL_SMALL, zlib.DEFLATED, window, _MEMORY_SMALL, zdict=known)
        return small.compress(data) + small.flush()
    whole = size + len(known)
    options = _SMALL_OPTIONS if whole <= _SMALL else _MEDIUM_OPTIONS if whole <= _MEDIUM else _OPTIONS
    return zstd.compress(data, options=options, zstd_dict=_dictionary(known))[len(_MAGIC) :]


def _alone(data: bytes) -> bytes:
    """Compress a little by itself: laid out once, an engine makes each frame in a third of the time; the first level
    takes two thirds of that, for a fiftieth more of source code and no more of prose."""
    engine: zstd.ZstdCompressor | None = getattr(_kept, "engine", None)
    if engine is None:
        engine = _kept.engine = zstd.ZstdCompressor(options=_ALONE_OPTIONS)
    return bytes(engine.compress(data, zstd.ZstdCompressor.FLUSH_FRAME))[len(_MAGIC) :]


def _by_zlib(size: int, known: bytes) -> bool:
    """Whether zlib compresses what is that large: of little text with a small dictionary it makes two thirds of what
    zstd does, in less time, and opens it in a tenth."""
    return size <= _LITTLE and 8 <= len(known) <= _SMALL


def inflate(payload: bytes, size: int, known: bytes = b"") -> bytes:
    """Return the ``size`` bytes that were compressed, never more; raises ``DecodeError``."""
    try:
        engine: Any
        if _by_zlib(size, known):
            engine = zlib.decompressobj(-15, zdict=known)
            data = engine.decompress(payload, size + 1)
        else:
            engine = zstd.ZstdDecompressor(zstd_dict=_dictionary(known))
            data = engine.decompress(_MAGIC + payload, max_length=size + 1)
    except (zlib.error, zstd.ZstdError, EOFError) as error:
        raise DecodeError(f"the compressed content does not open: {error}") from error
    if not engine.eof or len(data) != size:
        raise DecodeError(f"the compressed content is not the {size} bytes that were stored")
    return bytes(data)


def _context(prefix: int, middle: int) -> int:
    """Where what helps of the base begins, which ends with the part that was replaced: more of what stands before it
    for a larger middle (a quarter less of a long piece of text, for hardly more time)."""
    return max(0, prefix - min(max(_CONTEXT, 8 * middle), _LARGEST_CONTEXT))


def _dictionary(known: bytes) -> tuple[zstd.ZstdDict, int] | None:
    if len(known) < 8:
        return None
    return zstd.ZstdDict(known[-_DICTIONARY:], is_raw=True).as_prefix


def _common(a: bytes, b: bytes, limit: int) -> int:
    """Where ``a`` and ``b`` first differ after the head, by galloping over slices and then halving, which runs in C
    and copies neither."""
    view = memoryview(b)
    low, step = _HEAD, 4096
    while low < limit:
        high = min(low + step, limit)
        if a.startswith(view[low:high], low):
            low, step = high, step * 2
        elif high - low == 1:
            break
        else:
            limit, step = high, max((high - low) // 2, 1)
    return low


def _common_end(a: bytes, b: bytes, limit: int) -> int:
    """How much ``a`` and ``b`` have in common at their ends."""
    view = memoryview(b)
    low, step = 0, 64
    while low < limit:
        high = min(low + step, limit)
        if a.endswith(view[len(b) - high : len(b) - low], 0, len(a) - low):
            low, step = high, step * 2
        elif high - low == 1:
            break
        else:
            limit, step = high, max((high - low) // 2, 1)
    return low


@contextlib.contextmanager
def compressing(out: IO[bytes]) -> Iterator[Callable[[bytes], object]]:
    """What writes pieces to ``out`` as one compressed stream, which ends with the block."""
    engine = zstd.ZstdCompressor(options={**_OPTIONS, zstd.CompressionParameter.window_log: _STREAM_WINDOW})
    yield lambda data: out.write(engine.compress(data))
    out.write(engine.flush(zstd.ZstdCompressor.FLUSH_FRAME))


def decompress(source: IO[bytes], out: IO[bytes], most: int) -> int:
    """Write what a stream compresses to ``out`` and return its bytes; raises ``DecodeError`` above ``most`` of them."""
    engine = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _STREAM_WINDOW})
    written = 0
    piece = b""
    try:
        while not engine.eof:
            if engine.needs_input:
                piece = source.read(1 << 17)
                if not piece:
                    raise DecodeError("the compressed stream is cut short")
            found = engine.decompress(piece, max_length=1 << 20)
            piece = b""
            written += len(found)
            if written > most:
                raise DecodeError(f"the compressed stream holds more than the {most} bytes that it is said to hold")
            out.write(found)
    except (zstd.ZstdError, EOFError) as error:
        raise DecodeError(f"the compressed stream does not open: {error}") from error
    if engine.unused_data or source.read(1):
        raise DecodeError("the compressed stream has something behind it")
    return written
