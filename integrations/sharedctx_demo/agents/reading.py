"""What the raw loops do: read sources as views by the one tool, expand, then confer."""

from __future__ import annotations

import json
from typing import Any

from ..script import Call, Play, colleague, redeem
from .part import Part


def heard(content: Any) -> str:
    """What a result of the tool says to the model."""
    found = json.loads(content if isinstance(content, str) else content[0]["text"])
    return f"{found['error']}: {found['message']}" if "error" in found else str(found["result"])


def study(part: Part) -> Play:
    """Read the sources, expand the first omission of each, report, then go on as a colleague."""
    views = yield [Call("read", {"key": key, "max_tokens": 300}) for key in part.sources]
    part.say(step="read sources")
    yield [
        redeem(key, view)._replace(arguments={**redeem(key, view).arguments, "max_tokens": 300})
        for key, view in zip(part.sources, views, strict=True)
    ]
    part.report(part.survey())
    part.wait_for(part.upstream)
    said = f"read {len(views)} sources as views, expanded {len(views)}"
    return (yield from colleague(part.member.role, said, part.upstream))
