"""A process that writes until it is killed and says on standard output what was acknowledged."""

from __future__ import annotations

import hashlib
import os
import random
import sys

import sharedctx
from sharedctx.errors import VersionConflict


def main(path: str, name: str) -> None:
    ctx = sharedctx.open(path).session("s")
    chance = random.Random(f"{name}{os.getpid()}")

    def acknowledge(*words: object) -> None:
        os.write(1, (" ".join(map(str, words)) + "\n").encode())

    while True:
        if chance.random() < 0.3:
            head = ctx.get_entry("counter")
            value = int(ctx.get("counter", full=True, version=head.version)) if head else 0
            try:
                entry = ctx.put("counter", str(value + 1), expect=head.version if head else 0)
                acknowledge("C", entry.version, value + 1)
            except VersionConflict:
                continue
        else:
            size = chance.choice((20, 2000, 60_000))
            text = chance.randbytes(8).hex() * (size // 16 + 1)
            entry = ctx.put(f"k{chance.randrange(6)}", text)
            acknowledge("P", entry.key, entry.version, hashlib.sha256(text.encode()).hexdigest())


if __name__ == "__main__":
    main(*sys.argv[1:3])
