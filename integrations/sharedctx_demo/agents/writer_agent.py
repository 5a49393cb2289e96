"""Adds lines to one list that a rival writes too, each only onto the version that was read."""

from __future__ import annotations

from sharedctx.errors import VersionConflict

from .part import Part, log

ROUNDS = 20


def play(part: Part) -> None:
    """Write ``ROUNDS`` lines, going back to read whenever the rival was faster."""
    me, name = part.me, part.member.role
    head = me.get_entry("agenda")  # both rivals have read before either writes: one of them must lose
    me.put(f"ready/{name}", name)
    part.wait_for("ready/writer_one")
    part.wait_for("ready/writer_two")
    for round_ in range(ROUNDS):
        conflicts = 0
        while True:
            if round_ or conflicts:
                head = me.get_entry("agenda")
            agreed = me.get("agenda", full=True, version=head.version) if head else []
            try:
                entry = me.put("agenda", [*agreed, f"{name} {round_}"], expect=head.version if head else 0)
                break
            except VersionConflict as conflict:
                conflicts += 1
                log.warning("%s lost round %d to %s at version %s", name, round_, conflict.agent, conflict.actual)
        log.info("%s wrote line %d as version %d", name, round_, entry.version)
        part.say(step=f"line {round_}", conflicts=conflicts)
