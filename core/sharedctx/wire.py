"""Responses of model APIs: an SDK's objects and plain dicts, read alike."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from .errors import InvalidValue


def part(whole: Any, name: str) -> Any:
    """Return a field of an object or a dict; None where there is none."""
    return whole.get(name) if isinstance(whole, Mapping) else getattr(whole, name, None)


def parts(whole: Any, name: str) -> list[Any]:
    """Return a field that is a list; an empty one where there is none."""
    found = part(whole, name)
    return list(found) if isinstance(found, list | tuple) else []


def objects(whole: Any, name: str) -> list[Any]:
    """Return a field that is a list of objects or dicts; raises ``InvalidValue`` for anything else but nothing."""
    found = part(whole, name)
    if found is None:
        return []
    if not isinstance(found, list | tuple):
        raise InvalidValue(f"{name!r} of the response is {type(found).__name__}, not a list: pass the whole response")
    if odd := [each for each in found if each is None or isinstance(each, str | int | float | list | tuple)]:
        raise InvalidValue(f"{name!r} of the response holds {odd[0]!r:.60}, which is no object: pass it as it came")
    return list(found)


def plain(whole: Any) -> Any:
    """Return a deep copy as JSON data: of an object the fields that the API sent, under the API's names.

    What an SDK adds of its own, such as parsed arguments, the API would refuse.
    """
    if isinstance(whole, Mapping):
        return {name: plain(value) for name, value in whole.items()}
    if isinstance(whole, list | tuple):
        return [plain(value) for value in whole]
    if hasattr(whole, "model_dump"):
        own = getattr(whole, "__api_exclude__", None)
        return whole.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=own, warnings=False)
    if hasattr(whole, "__dict__"):
        return {name: plain(value) for name, value in vars(whole).items() if not name.startswith("_")}
    return copy.copy(whole)
