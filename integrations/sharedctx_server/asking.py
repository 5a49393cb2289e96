"""Commands that ask a running server: ``sharedctx context status``, ``stats``, ``health``, ``metrics``."""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import click

from sharedctx.callers import is_loopback
from sharedctx.errors import BackendUnavailable, ConfigError, Forbidden

from .commands import DEFAULT_URL, Target

_TIMEOUT = 10.0
_SERVER = "sharedctx.server"


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows nobody elsewhere: a context server sends nobody away."""

    def redirect_request(self, *_: Any) -> None:
        """Return nothing, so that the reply is an error."""


class Asked:
    """A server at an address, asked with the token of ``SHAREDCTX_TOKEN`` where there is one."""

    def __init__(self, url: str) -> None:
        try:
            parts = urllib.parse.urlsplit(url)
            named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            named = False
        if not named:
            raise ConfigError(f"{url!r} is no address of a server: write for example {DEFAULT_URL}")
        self.url = url.rstrip("/")
        # a proxy is for other machines; a token goes nowhere but to the server that was named
        proxies = [urllib.request.ProxyHandler({})] if is_loopback(parts.hostname or "") else []
        self._opener = urllib.request.build_opener(_Straight, *proxies)

    def get(self, path: str, accept: str = "application/json") -> str:
        """Return the text of a reply; raises ``BackendUnavailable`` or ``Forbidden``."""
        headers = {"Accept": accept}
        if token := os.environ.get("SHAREDCTX_TOKEN"):
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(self.url + path, headers=headers)
        try:
            with self._opener.open(request, timeout=_TIMEOUT) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                said = _said(error.read(2000))
            if error.code in (401, 403):
                raise Forbidden(f"{self.url} wants another token: set SHAREDCTX_TOKEN ({said})") from None
            raise BackendUnavailable(f"{self.url} answered {error.code}: {said}") from None
        except (OSError, UnicodeError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise BackendUnavailable(
                f"no server answers at {self.url} ({reason}): `sharedctx serve --background` starts one"
            ) from None

    def facts(self, path: str, *names: str) -> dict[str, Any]:
        """Return the object of a JSON reply, which has these names."""
        try:
            found = json.loads(self.get(path))
        except ValueError:
            found = None
        if not isinstance(found, dict) or not found.keys() >= set(names):
            raise BackendUnavailable(f"{self.url} is no context server: its {path} says something else")
        return found


def _said(body: bytes) -> str:
    """The message of an error, or what came in its place."""
    try:
        return str(json.loads(body)["error"])
    except (ValueError, LookupError, TypeError):
        return " ".join(body.decode("utf-8", "replace").split())[:80]


def _remember(ctx: click.Context, parameter: click.Parameter, given: str | None) -> None:
    if given is not None:
        ctx.meta[_SERVER] = given


_server = click.option(
    "--server",
    metavar="URL",
    expose_value=False,
    callback=_remember,
    help=f"Its address (default: SHAREDCTX_SERVER, else {DEFAULT_URL}).",
)


@click.group()
@_server
def context() -> None:
    """Ask a context server how it does."""


def _asked() -> Asked:
    given = click.get_current_context().meta.get(_SERVER)
    return Asked(given or os.environ.get("SHAREDCTX_SERVER") or DEFAULT_URL)


def _show(target: Target, facts: dict[str, Any]) -> None:
    rows = [(name, value if isinstance(value, int | float) else str(value)) for name, value in facts.items()]
    target.emit_table(facts, ("what", "value"), [(name, str(value)) for name, value in rows])


@context.command()
@_server
@click.pass_obj
def status(target: Target) -> None:
    """Show whether the server runs and how it does, in a few figures."""
    asked = _asked()
    names = ("uptime", "totalRequests", "activeContexts", "activeConnections")
    health, metrics = asked.facts("/health", "status", "version"), asked.facts("/metrics", *names)
    picked = {name: metrics[name] for name in names}
    _show(target, {"url": asked.url, "status": health["status"], "version": health["version"], **picked})


@context.command()
@_server
@click.pass_obj
def stats(target: Target) -> None:
    """Show the server's figures, and those of each context."""
    found = _asked().facts("/metrics", "contextSizes")
    if target.as_json:
        target.emit(found, "")
        return
    sizes = found.pop("contextSizes")
    _show(target, found)
    columns = ("projectId", "versions", "subscribers", "lastAccessed", "size")
    if sizes:
        click.echo()
        target.emit_table(sizes, columns, [tuple(each[name] for name in columns) for each in sizes])


@context.command()
@_server
@click.pass_obj
def health(target: Target) -> None:
    """Show the server's health; exits 1 when it is not healthy."""
    found = _asked().facts("/health", "status")
    _show(target, found)
    if found["status"] != "healthy":
        raise click.exceptions.Exit(1)


@context.command()
@_server
@click.pass_obj
def metrics(target: Target) -> None:
    """Print the server's metrics for Prometheus; with --json as JSON."""
    asked = _asked()
    if target.as_json:
        target.emit(asked.facts("/metrics"), "")
    else:
        click.echo(asked.get("/metrics", "text/plain"), nl=False)
