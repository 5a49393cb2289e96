"""Two agents share one session: one writes findings, the other reads the view, expands a part and decides.

Run it with ``python examples/handover.py [DIRECTORY]``.
"""

from __future__ import annotations

import sys
import tempfile

import sharedctx
from sharedctx.errors import VersionConflict


def main(directory: str) -> None:
    with sharedctx.open(directory) as store:
        ctx = store.session("example")
        research, planner = ctx.bind("subagent:research"), ctx.bind("subagent:planner")

        issues = [{"id": n, "state": "open" if n % 7 else "error", "title": f"Issue number {n}"} for n in range(2000)]
        entry = research.put("findings", issues)
        print(f"stored {entry.original_tokens} tokens, the view has {entry.compressed_tokens}")

        print(planner.expand("findings", "rows:1400-1401"))
        base = planner.get_entry("plan")
        planner.put("plan", {"next": "fix issue 1400"}, expect=base.version if base else 0)
        try:
            research.put("plan", {"next": "something else"}, expect=base.version if base else 0)
        except VersionConflict as conflict:
            print(conflict)
        print("history:", [(entry.version, entry.agent) for entry in ctx.history("plan")])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(folder)
