"""Views: what a model reads in place of a value, and how it gets the rest. Loaded when the first view is made."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .lossless import decompress
    from .references import expand, split_version
    from .router import compress
    from .view import View

__all__ = ["View", "compress", "decompress", "expand", "split_version"]

_PLACES = {
    "View": "view",
    "compress": "router",
    "decompress": "lossless",
    "expand": "references",
    "split_version": "references",
}


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
