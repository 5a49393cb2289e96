"""Names of partitions and spaces, by skipping from one to the next in the unique index of keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import keys

Query = Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]]

_FIRST_KEY = "SELECT key FROM Cache WHERE key > ? AND key < ? AND raw = 1 AND tag IS NOT 'x' ORDER BY key LIMIT 1"
_PKS = """
WITH RECURSIVE found(k) AS (
  SELECT (SELECT key FROM Cache WHERE key > ?1 AND key < ?2 AND raw = 1 AND tag IS NOT 'x' ORDER BY key LIMIT 1)
  UNION ALL
  SELECT (SELECT key FROM Cache WHERE key > substr(found.k, 1, ?3 + instr(substr(found.k, ?3 + 1), '-') - 1) || '.'
          AND key < ?2 AND raw = 1 AND tag IS NOT 'x' ORDER BY key LIMIT 1)
  FROM found WHERE found.k IS NOT NULL
) SELECT k FROM found WHERE k IS NOT NULL LIMIT ?4"""


def pks(query: Query, space: str, prefix: str, after: str, limit: int) -> list[str]:
    """Partitions that hold rows; see ``Backend.pks``."""
    start = f"{keys.escape(space)}-"
    lo = start + (keys.escape(prefix) or ".")
    hi = keys.successor(start + keys.escape(prefix)) if prefix else f"{keys.escape(space)}."
    if after:
        lo = max(lo, f"{start}{keys.escape(after)}.")
    found: list[str] = []
    while len(found) < limit:
        page = query(_PKS, (lo, hi, len(start), limit))
        names = [key[len(start) :].partition("-")[0] for (key,) in page]
        found += [name for name in map(keys.unescaped, names) if name]
        if len(page) < limit:
            break
        lo = f"{start}{names[-1]}."
    return found[:limit]


def spaces(query: Query, prefix: str, after: str, limit: int) -> list[str]:
    """Spaces that hold rows; see ``Backend.spaces``."""
    escaped = keys.escape(prefix)
    lo = escaped or "."
    hi = keys.successor(escaped) if escaped else "\U0010ffff" * 2
    if after:
        lo = max(lo, f"{keys.escape(after)}.")
    found: list[str] = []
    while len(found) < limit and (rows := query(_FIRST_KEY, (lo, hi))):
        name = rows[0][0].partition("-")[0]
        plain = keys.unescaped(name)
        if plain and query(_FIRST_KEY, (f"{name}-.", f"{name}.")):
            found.append(plain)
        lo = f"{name}."
    return found
