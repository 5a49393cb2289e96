"""A process that writes entries with vectors and says what was acknowledged: NAME, then how many or 0 for ever."""

from __future__ import annotations

import importlib.util
import itertools
import os
import sys
from pathlib import Path

import sharedctx

_spec = importlib.util.spec_from_file_location("indexed", Path(__file__).with_name("indexed.py"))
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)


def main(path: str, name: str, count: int) -> None:
    indexed = _module.Indexed(sharedctx.open(path).session())
    for n in itertools.count() if count == 0 else range(count):
        indexed.put({f"{name}-{n}": [[float(n), 1.0, float(len(name))]]})
        os.write(1, f"{name}-{n}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
