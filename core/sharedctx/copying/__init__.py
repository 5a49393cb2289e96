"""Copying a store into another one, on whatever backends."""

from .stores import copy

__all__ = ["copy"]
