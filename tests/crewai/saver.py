"""A process that saves memories and says which are acknowledged: URL NAME COUNT (0: until it is killed)."""

from __future__ import annotations

import itertools
import os
import sys

from crewai.memory.types import MemoryRecord

from sharedctx_crewai import ContextMemory


def main(url: str, name: str, count: int) -> None:
    memory = ContextMemory(url=url)
    for n in itertools.count() if count == 0 else range(count):
        vector = [float(len(name)), float(n), 1.0]
        memory.save([MemoryRecord(id=f"{name}-{n}", content=f"{name} {n}", scope=f"/{name}", embedding=vector)])
        os.write(1, f"{name}-{n}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
