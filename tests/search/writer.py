"""A process that writes entries with vectors and says what was acknowledged: NAME, then how many or 0 for ever."""

from __future__ import annotations

import itertools
import os
import sys

from indexed import Indexed

import sharedctx


def main(path: str, name: str, count: int) -> None:
    indexed = Indexed(sharedctx.open(path).session())
    for n in itertools.count() if count == 0 else range(count):
        indexed.put({f"{name}-{n}": [[float(n), 1.0, float(len(name))]]})
        os.write(1, f"{name}-{n}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
