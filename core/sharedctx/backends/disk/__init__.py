"""The disk backend."""

from .backend import DiskBackend

__all__ = ["DiskBackend"]
