"""``python -m sharedctx_demo.agents ROLE SETUP``: run one agent; SETUP is a JSON file that the stage wrote."""

from __future__ import annotations

import importlib
import sys

from ..cast import COLLECTOR, READERS, WRITERS
from .part import Part, read_setup

_HOMES = {"collector": "collector", "writer_one": "writer", "writer_two": "writer"}


def main() -> None:
    """Run one role."""
    role, path = sys.argv[1:3]
    member = next(each for each in (COLLECTOR, *WRITERS, *READERS) if each.role == role)
    with Part(member, read_setup(path)) as part:  # a framework that cannot be imported is a failure that is told, too
        importlib.import_module(f".{_HOMES.get(role, role)}_agent", __package__).play(part)


if __name__ == "__main__":
    main()
