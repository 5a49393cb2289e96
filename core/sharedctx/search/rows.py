"""The rows of an index read as what they hold; a damaged one is logged and left out."""

from __future__ import annotations

import logging

from ..backends.base import Row
from ..errors import DecodeError
from ..versions.collection import unseal, unseal_large
from . import packs
from .packs import Pack

_log = logging.getLogger("sharedctx.search")


def read_pack(space: str, row: Row) -> Pack | None:
    """Return the pack that a row holds, None where it is damaged."""
    try:
        return packs.decode(unseal_large(space, row))
    except DecodeError as error:
        _log.warning("searches leave out the entries of a damaged row until they are written anew: %s", error)
        return None


def read_dimensions(space: str, row: Row) -> int | None:
    """Return the dimensions that a row tells, None where it is damaged."""
    try:
        return int(unseal(space, row))
    except (DecodeError, ValueError) as error:
        _log.warning("the dimensions of vectors are those of the first vectors found: %s", error)
        return None
