"""Views: what a model reads in place of a value, and how it gets the rest."""

from .references import expand, split_version
from .router import LEAST_TOKENS, SHORT, as_text, compress
from .view import View

__all__ = ["LEAST_TOKENS", "SHORT", "View", "as_text", "compress", "expand", "split_version"]
