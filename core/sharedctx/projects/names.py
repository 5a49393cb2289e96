"""The spelling of projects, and the keys that hold them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from ..errors import InvalidKey, InvalidValue

PREFIX = "project/"
LEAF = "/context"
_PROJECT = re.compile(r"[A-Za-z0-9._-]+")
_LONGEST = 128
_REQUEST = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_TAKEN = frozenset({"stream", ".", ".."})


def check_project(project: Any) -> str:
    """Return ``project`` if it may name one; raises ``InvalidKey``."""
    if not isinstance(project, str) or len(project) > _LONGEST or not _may_name(project):
        raise InvalidKey(
            f"{project!r:.160} is no project: use 1 to 128 of the characters A-Z a-z 0-9 . _ -, and not 'stream'"
        )
    return project


def _is_project(text: str) -> bool:
    return len(text) <= _LONGEST and _may_name(text)


@lru_cache(8192)
def _may_name(text: str) -> bool:
    return _PROJECT.fullmatch(text) is not None and text not in _TAKEN


def key_of(project: str) -> str:
    """The key of the session that holds the project's context; raises ``InvalidKey``."""
    return _key(project if project.__class__ is str else check_project(project))


@lru_cache(8192)
def _key(project: str) -> str:
    return f"{PREFIX}{check_project(project)}{LEAF}"


def project_of(key: str) -> str | None:
    """The project whose context the key holds, or None for other keys."""
    if not (key.startswith(PREFIX) and key.endswith(LEAF)):
        return None
    project = key[len(PREFIX) : -len(LEAF)]
    return project if _is_project(project) else None


def check_request(request: Any) -> str:
    """Return the name of a request if it may be one; raises ``InvalidValue``."""
    if not isinstance(request, str) or _REQUEST.fullmatch(request) is None:
        raise InvalidValue(f"{request!r:.160} names no request: use 1 to 64 of the characters A-Z a-z 0-9 . _ : -")
    return request
