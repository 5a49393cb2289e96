"""Who may call a server over HTTP: by which of its names, from which pages, with which token."""

from .http import Callers, bearer, check_port, check_token, is_loopback, read_token, require_token

__all__ = ["Callers", "bearer", "check_port", "check_token", "is_loopback", "read_token", "require_token"]
