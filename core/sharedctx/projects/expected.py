"""What a writer expects to find."""

from __future__ import annotations

from ..errors import InvalidValue, VersionConflict
from .heads import Head

Expected = int | str | None
"""The version that a writer knows (0: there is none) or its hash; ``ANY`` where there is to be one, None where even
none will do."""

ANY = "*"


def require(project: str, head: Head, expected: Expected) -> None:
    """Raise ``VersionConflict`` unless ``expected`` is the head's live version, ``InvalidValue`` for neither a number
    nor a hash."""
    if expected is None:
        return
    live = head.number
    if isinstance(expected, bool) or not isinstance(expected, int | str):
        raise InvalidValue(f"the expected version {expected!r:.80} is neither a number nor a hash")
    if expected == live if isinstance(expected, int) else live and expected in (ANY, head.state.hash):
        return
    who = head.agent or None
    there = (f"is at version {live}" + (f" by {who!r}" if who else "")) if live else "is not there"
    raise VersionConflict(
        f"the project {project!r} {there}, and {expected!r} was expected: read it again, merge, and write with {live}",
        expected=expected if isinstance(expected, int) else None,
        actual=live,
        agent=who,
    )
