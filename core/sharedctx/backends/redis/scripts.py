"""The scripts that run in the server (``lua/``), each as one atomic step on the keys of one space.

Keys of a space S, which share one hash tag so that a cluster keeps them together (``base`` ends with a colon):

====================  ========================================================================
``base`` m            hash: ``rev`` of the last commit, ``mark`` up to which the feed was cut, ``g`` the store and the
                      server's run that wrote last, once registered, ``e`` the last revisions of the runs before
``base`` p            sorted set, all scores 0: partitions that hold rows, in order of their bytes
``base`` l            hash: the last number given in partitions that hold no rows any more
``base`` f            stream: the feed; entry ``rev-n`` is change n of that commit, field pk, value its code
``base`` d:pk         hash: versions by number, and F, H, L: first and newest there are, last number given
``base`` t:pk, r:pk   sorted set and hash: the collection rows, in order of the bytes of their sort keys
``base`` x:pk         sorted set: the codes of rows that expire, by when
``base`` q:lane       what the last commit of a lane answered, for half an hour
====================  ========================================================================

A row is ``rev-n expires value``. Codes of rows: ``#12`` a version, ``=text`` a collection row; of changes: the same
after ``+`` for a put and ``-`` for a drop.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final


def _load(name: str) -> str:
    return files(__package__).joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")


def _with_common(name: str) -> str:
    """A script with the functions that it shares in the place that it names: making them costs time."""
    return _load(name).replace("--@common\n", _load("common"))


@lru_cache(64)
def commit_in(run: str) -> str:
    """The commit script for one run of a server. Another run does not have it: nobody takes that for this one."""
    return _COMMIT.replace("@run", run)


_COMMIT: Final = _with_common("commit")
SCAN: Final = _load("scan")
CHANGES: Final = _load("changes")
RECLAIM: Final = _with_common("reclaim")
FORGET: Final = _load("forget")
RAISE: Final = _load("raise")

_BASE: Final = "local base = KEYS[1]"


@lru_cache(64)
def in_cluster(text: str) -> str:
    """A script that is told the keys it may meet (``declared``): the space's base is the beginning of the first."""
    return text.replace(_BASE, "local base = string.match(KEYS[1], '^[^{]*{[^}]*}:')")


def declared(text: str, base: bytes, args: Sequence[Any]) -> list[bytes]:
    """All keys that a script may meet.

    While a cluster moves the keys of a space to another node one by one, it runs the script where they all lie, or has
    us try again: a script that named none would find a part of the space.
    """
    if text == RAISE:
        return [base]
    if text == SCAN:
        ends = [f"d:{args[0]}"] if args[1] == "#" else [f"t:{args[0]}", f"r:{args[0]}"]
    elif text == CHANGES:
        ends = ["m", "f"]
    else:
        commit = text not in (RECLAIM, FORGET)
        ends = ["m", "f", "p", "l", *([f"q:{str(args[0]).split()[0]}"] if commit else ())]
        pks = args[2::3] if commit else args[:1]
        ends += [f"{kind}:{pk}" for pk in dict.fromkeys(pks) for kind in "drtx"]
    return [base + end.encode() for end in ends]
