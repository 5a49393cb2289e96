"""The demo's agents, each run as ``python -m sharedctx_cli.demo.agents ROLE ADDRESS SESSION LOG [ARGUMENT]``.

An agent reports on standard output, one JSON object a line, and logs what it does to the run's log file.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sharedctx
from sharedctx import SharedContext
from sharedctx.errors import VersionConflict

ROUNDS = 20
_CALL = re.compile(r'expand\(("(?:[^"\\]|\\.)*"), ("(?:[^"\\]|\\.)*")\)')
log = logging.getLogger("demo")


def say(**report: Any) -> None:
    """Report one step to the demo."""
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()


def collector(ctx: SharedContext, manifest: str) -> None:
    """Store every file as it is, text as text and the rest as bytes."""
    for key, path in json.loads(Path(manifest).read_text("utf-8")).items():
        data = Path(path).read_bytes()
        try:
            value: str | bytes = data.decode()
        except UnicodeDecodeError:
            value = data
        entry = ctx.put(key, value)
        log.info("stored %s version %d, %d bytes, sha256 %s", key, entry.version, entry.size, entry.hash[:12])
        say(step=key, original_tokens=entry.original_tokens)


def analyst(ctx: SharedContext, _: str) -> None:
    """Read every source as a view, expand the first thing left out of each, write down a finding."""
    count = ctx.settings.count_tokens
    for key in ctx.keys("source/"):
        view = ctx.get(key) or ""
        served = count(view)
        expanded = 0
        for found in list(_CALL.finditer(view))[:1]:
            piece = ctx.expand(json.loads(found[1]), json.loads(found[2]), max_tokens=400)
            expanded += 1
            served += count(piece)
            log.info("expanded %s of %s", found[2], key)
        entry = ctx.get_entry(key)
        finding = {"source": key, "version": entry.version if entry else 0, "markers": view.count("expand(")}
        ctx.put(f"finding/{key.removeprefix('source/')}", finding)
        say(step=key, served_tokens=served, expanded=expanded)


def writer(ctx: SharedContext, name: str) -> None:
    """Add conclusions to one list that a rival writes too, each only onto the version that was read."""
    count = ctx.settings.count_tokens
    findings = ctx.keys("finding/")
    served = sum(count(ctx.get(key) or "") for key in findings)
    say(step="findings", served_tokens=served)
    head = ctx.get_entry("conclusions")  # both rivals have read before either writes: one of them must lose
    ctx.put(f"ready/{name}", name)
    for _event in ctx.watch(0, timeout=60):
        if len(ctx.keys("ready/")) == 2:
            break
    for round_ in range(ROUNDS):
        conflicts = 0
        while True:
            if round_ or conflicts:
                head = ctx.get_entry("conclusions")
            agreed = ctx.get("conclusions", full=True, version=head.version) if head else []
            source = findings[round_ % len(findings)] if findings else "nothing"
            try:
                entry = ctx.put(
                    "conclusions", [*agreed, f"{name} {round_}: {source}"], expect=head.version if head else 0
                )
                break
            except VersionConflict as conflict:
                conflicts += 1
                log.warning("%s lost round %d to %s at version %s", name, round_, conflict.agent, conflict.actual)
        log.info("%s wrote conclusion %d as version %d", name, round_, entry.version)
        say(step=f"conclusion {round_}", conflicts=conflicts)


ROLES: dict[str, Callable[[SharedContext, str], None]] = {
    "collector": collector,
    "analyst": analyst,
    "writer": writer,
}


def main() -> None:
    """Run one role."""
    role, address, session, logfile, argument = sys.argv[1:6]
    form = "%(asctime)s %(levelname)s %(process)d %(message)s"
    logging.basicConfig(filename=logfile, level=logging.INFO, format=form)
    with sharedctx.open(address) as store:
        ROLES[role](
            store.session(session).bind(f"subagent:{role}:{argument}" if role == "writer" else f"subagent:{role}"),
            argument,
        )


if __name__ == "__main__":
    main()
