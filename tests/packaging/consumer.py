"""What a user of the installed package writes; mypy and pyright read it in strict mode, Python runs it."""

from __future__ import annotations

import sys
from typing import assert_type

from sharedctx import ContextEntry, SharedContext, SharedContextError


def remember(ctx: SharedContext, plan: dict[str, int]) -> int:
    """Put a plan, read it back both ways and return its version."""
    entry = ctx.put("plan", plan, agent="planner")
    assert_type(entry, ContextEntry)
    assert_type(entry.version, int)
    assert_type(entry.key, str)

    view = ctx.get("plan")
    assert_type(view, str | None)
    assert view is not None
    assert "steps" in view
    assert ctx.get("plan", full=True) == plan
    assert ctx.get("nothing") is None
    return entry.version


def refusal(ctx: SharedContext) -> str | None:
    """Return the code of the error that an empty key raises."""
    try:
        ctx.put("", "a key may not be empty")
    except SharedContextError as error:
        assert_type(error.message, str)
        return error.code
    return None


def main(path: str) -> None:
    """Use a store in the directory ``path``."""
    ctx = SharedContext("demo", path=path)
    assert remember(ctx, {"steps": 3}) == 1
    assert remember(ctx, {"steps": 4}) == 2
    assert refusal(ctx) == "INVALID_KEY"


if __name__ == "__main__":
    main(sys.argv[1])
