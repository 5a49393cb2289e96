"""The command line: ``sharedctx``."""

from .main import main

__all__ = ["main"]
