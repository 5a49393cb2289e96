"""What brings a model up to date for the fewest tokens: the whole context, what changed, or a window of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from ..tokens import TokenCounter
from ..versions.diff import diff_json
from .differences import Difference
from .state import State, canonical, joined
from .window import PRIORITIES, Locate, project_window

Kind = Literal["snapshot", "diff", "window"]


class Leanest(NamedTuple):
    """Canonical JSON for a model: what it is, its tokens, and those of the whole context."""

    kind: Kind
    content: bytes
    tokens: int
    whole_tokens: int


class Known(NamedTuple):
    """What the model has: the state of a version; ``whole`` unless it was shown a window of it."""

    version: int
    state: State
    whole: bool = True


def leanest(
    state: State,
    version: int,
    max_tokens: int,
    locate: Locate,
    count: TokenCounter,
    known: Known | None = None,
    priorities: Mapping[str, float] = PRIORITIES,
) -> Leanest:
    """Return what takes the fewest tokens within ``max_tokens`` (from 50 up); a window always fits.

    A difference names the whole new values of top-level names, or where the model has seen the context whole and it is
    shorter, an RFC 6902 patch. Raises ``InvalidValue``.
    """
    whole = count(state.encoded.decode())
    found = [("snapshot", state.encoded, whole)]
    if known is not None:
        found += [("diff", content, count(content.decode())) for content in _differences(known, state, version)]
    kind, content, tokens = min(found, key=lambda each: each[2])
    if tokens > max_tokens:
        window = project_window(state, max_tokens, locate, count, priorities)
        return Leanest("window", window.encoded, window.tokens, whole)
    return Leanest("diff" if kind == "diff" else "snapshot", content, tokens, whole)


def _differences(known: Known, state: State, version: int) -> list[bytes]:
    changes = Difference.between(known.state, state)
    parts = [b'"%b":%b' % (name, joined(pairs)) for name, pairs in _named(changes) if pairs]
    if changes.removed:
        parts.append(b'"removed":%b' % canonical(list(changes.removed), "the names"))
    found = [b'{"changes":{%b},"fromVersion":%d,"version":%d}' % (b",".join(parts), known.version, version)]
    if known.whole and changes.modified:
        patch = canonical(diff_json(known.state.context(), state.context()), "the patch")
        found.append(b'{"fromVersion":%d,"patch":%b,"version":%d}' % (known.version, patch, version))
    return found


def _named(changes: Difference) -> tuple[tuple[bytes, Mapping[str, bytes]], ...]:
    return (b"added", changes.added), (b"modified", changes.modified)
