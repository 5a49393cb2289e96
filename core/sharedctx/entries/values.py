"""Values as bytes and back: text, bytes and JSON, each read as it was stored."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from ..errors import DecodeError, InvalidValue
from ..versions.codec import TEXT, Kind

_PLAIN: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_CANONICAL: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
KINDS = {Kind.BYTES: "bytes", Kind.TEXT: "text", Kind.JSON: "json", Kind.GONE: "gone"}


def encode(key: str, value: Any) -> tuple[Kind, bytes, bytes]:
    """Return kind, bytes and the sha256 of the original (for JSON: of its canonical form).

    Text, bytes, JSON values and pydantic models are taken; raises ``InvalidValue`` for what would not come back as
    it went in (tuples, sets, keys that are not text, NaN, lone surrogates).
    """
    if isinstance(value, str):
        try:
            data = value.encode()
        except UnicodeEncodeError as error:
            raise InvalidValue(f"the text for {key!r} has a lone surrogate at {error.start}: repair it first") from None
        return TEXT, data, hashlib.sha256(data).digest()
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        return Kind.BYTES, data, hashlib.sha256(data).digest()
    if hasattr(value, "model_dump") and not isinstance(value, type):
        try:
            value = value.model_dump(mode="json")
        except Exception as error:  # pydantic's own, or whatever a serializer of the model's raises
            raise InvalidValue(f"the model for {key!r} does not become JSON ({error}): mend the model") from None
    try:
        text = _PLAIN.encode(value)
        data = text.encode()
        same = json.loads(text) == value
        digest = hashlib.sha256(canonical(value)).digest() if same else b""
    except RecursionError:
        raise InvalidValue(
            f"the value for {key!r} is nested too deeply for JSON: flatten it, or store its text"
        ) from None
    except (TypeError, ValueError) as error:
        raise InvalidValue(f"the value for {key!r} is not JSON ({error}): pass text, bytes, JSON or a model") from None
    if not same:
        raise InvalidValue(
            f"the value for {key!r} would not come back from JSON as it is: use lists for tuples and text for all keys"
        )
    return Kind.JSON, data, digest


def canonical(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8."""
    return _CANONICAL.encode(value).encode()


def decode(kind: Kind, data: bytes) -> Any:
    """Return the stored type; raises ``DecodeError``."""
    try:
        if kind is TEXT:
            return data.decode()
        if kind is Kind.JSON:
            return json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"the stored {KINDS[kind]} does not decode: {error}") from error
    return data
