"""Views: what a model reads in place of a value, and how it gets the rest."""

from .lossless import decompress
from .references import expand, split_version
from .router import compress
from .task import LEAST_TOKENS
from .view import View

__all__ = ["LEAST_TOKENS", "View", "compress", "decompress", "expand", "split_version"]
