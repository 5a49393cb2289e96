"""A server of shared contexts: projects over HTTP, WebSockets and server-sent events, on any store."""

from .application import app
from .running import serve
from .settings import ServerSettings
from .tokens import Tokens

__all__ = ["ServerSettings", "Tokens", "app", "serve"]
