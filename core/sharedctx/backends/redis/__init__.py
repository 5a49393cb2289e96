"""Rows on plain Redis (7 or later) or Valkey, without modules: one script for each commit."""

from .backend import RedisBackend

__all__ = ["RedisBackend"]
