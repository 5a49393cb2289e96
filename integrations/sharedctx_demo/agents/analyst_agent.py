"""Reads every source as a view and expands the first thing left out of each, without any framework."""

from __future__ import annotations

from ..script import marker
from .part import Part, log


def play(part: Part) -> None:
    """Read, expand, write down what was found."""
    for key in part.sources:
        view = part.me.get(key) or ""
        found = marker(view, key)
        if found is not None:
            part.me.expand(found.arguments["key"], found.arguments["ref"], max_tokens=400)
            log.info("expanded %s of %s", found.arguments["ref"], key)
        part.say(step=key, expanded=int(found is not None))
    part.report(part.survey())
