"""Commands: serve, the server's own figures, and tokens."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from typing import Any, Protocol

import click

from sharedctx import Store
from sharedctx.backends.steps import run
from sharedctx.callers import read_token, require_token
from sharedctx.callers.bearers import Tokens
from sharedctx.extras import extra
from sharedctx.projects import PRIORITIES, ProjectSettings

_DURATION = re.compile(r"(\d+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
DEFAULT_URL = "http://127.0.0.1:3003"


class Target(Protocol):
    """What the command line hands to commands: the options before them."""

    address: str | None
    session: str
    as_json: bool

    def empty(self) -> bool:
        """Whether opening the store would make a new one."""
        ...

    def store(self, *, make: bool = False) -> Store:
        """Open the store."""
        ...

    def emit(self, data: Any, text: str) -> None:
        """Print JSON or text."""
        ...

    def emit_table(self, data: Any, columns: Any, rows: Any) -> None:
        """Print JSON or rows."""
        ...


def seconds(text: str) -> float:
    """Read a duration such as 90s, 15m, 24h or 30d; raises click's usage error."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise click.UsageError(f"{text!r} is no duration: write for example 90s, 15m, 24h or 30d")
    return float(int(match[1]) * _SECONDS[match[2]])


_PORTS = click.IntRange(1, 65535)


def _of_serve(ctx: click.Context, parameter: click.Parameter, given: Any) -> Any:
    """What was said, else what was said before the command: `serve --port 8080 stop`."""
    if given is None and ctx.parent is not None:
        return ctx.parent.params[parameter.name]
    return given


_port = click.option("--port", type=_PORTS, callback=_of_serve, help="Where it listens (default: as for serve).")
_host = click.option("--host", callback=_of_serve, help="The address that it listens on (default: as for serve).")


@click.group(invoke_without_command=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=3003, show_default=True, type=_PORTS, help="Where to listen.")
@click.option("--token-file", type=click.Path(dir_okay=False), help="File with the bearer token (or SHAREDCTX_TOKEN).")
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME", help="A further name the server goes by.")
@click.option("--allow-origin", "origins", multiple=True, metavar="URL", help="A web origin whose pages may call.")
@click.option("--rate", type=float, metavar="N", help="Requests a second and caller (default: 200 beyond loopback).")
@click.option(
    "--max-contexts", default=100, show_default=True, type=click.IntRange(1), help="Projects that live at most."
)
@click.option(
    "--keep-versions",
    default=10,
    show_default=True,
    type=click.IntRange(1),
    help="Versions of a project that can be read.",
)
@click.option("--ttl", default="24h", show_default=True, metavar="TIME", help="Since the last access; 'never' is too.")
@click.option("--priority", "priorities", multiple=True, metavar="NAME=N", help="Priority of a name in windows.")
@click.option("--background", is_flag=True, help="Start it in the background and return when it answers.")
@click.pass_context
def serve(
    ctx: click.Context,
    host: str,
    port: int,
    token_file: str | None,
    hosts: tuple[str, ...],
    origins: tuple[str, ...],
    rate: float | None,
    max_contexts: int,
    keep_versions: int,
    ttl: str,
    priorities: tuple[str, ...],
    background: bool,
) -> None:
    """Serve the store over HTTP, once per port: a second start finds the first and says so."""
    if ctx.invoked_subcommand is not None:
        return
    with extra("server", "`sharedctx serve`"):
        from . import background as running
        from .running import serve as serve_store
        from .settings import ServerSettings
    target: Target = ctx.obj
    settings = ServerSettings(
        session=target.session,
        host=host,
        port=port,
        token=read_token(token_file),
        allow_hosts=hosts,
        allow_origins=origins,
        rate=rate,
        projects=ProjectSettings(
            max_projects=max_contexts, keep_versions=keep_versions, ttl=None if ttl == "never" else seconds(ttl)
        ),
        priorities=_priorities(priorities),
    )
    if rate is None and not settings.loopback:
        settings = replace(settings, rate=200.0)
    found = running.find(host, port)
    if target.empty():  # what is refused makes no store
        require_token(settings.host, settings.token, None)
        if found is not None:
            raise running.serves_another(found)
    with target.store(make=True) as store:
        require_token(settings.host, settings.token, store)
        found = running.require_free(store, settings)
        if found is None and background:
            found, started = running.start(store.address, settings)
            facts = {"url": found.url, "pid": found.pid, "started": started}
            target.emit(facts, f"{found.url} process {found.pid}")
        elif found is not None:
            target.emit({"url": found.url, "pid": found.pid, "started": False}, f"{found.url} runs already")
        else:
            url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

            def ready() -> None:
                target.emit({"url": url, "pid": os.getpid(), "started": True}, url)
                sys.stdout.flush()

            serve_store(store, settings=settings, ready=ready)


@serve.command()
@_host
@_port
@click.pass_obj
def stop(target: Target, host: str, port: int) -> None:
    """Stop the server on a port of this machine; it drains and ends in good order."""
    from .background import stop as stop_server

    stopped = stop_server(host, port)
    target.emit({"stopped": stopped}, "stopped" if stopped else f"no server runs on port {port}")


@serve.command()
@_host
@_port
@click.pass_obj
def status(target: Target, host: str, port: int) -> None:
    """Tell whether a server runs on a port; exits 1 when none does."""
    from .background import find

    found = find(host, port)
    facts = {"running": found is not None, "url": found.url if found else None, "pid": found.pid if found else None}
    target.emit(
        facts, f"{found.url} process {found.pid or 'of another'}" if found else f"no server runs on port {port}"
    )
    if found is None:
        raise click.exceptions.Exit(1)


def _priorities(given: tuple[str, ...]) -> dict[str, float]:
    found = dict(PRIORITIES)
    for each in given:
        name, _, number = each.rpartition("=")
        try:
            found[name] = float(number)
        except ValueError:
            raise click.UsageError(f"{each!r} is not NAME=NUMBER, for example currentTask=9") from None
    return found


@click.group()
def token() -> None:
    """Make, list and revoke bearer tokens of the store's servers; only their hashes are kept."""


@token.command()
@click.option("--for", "participant", metavar="PARTICIPANT", help="Whose it is (default: it may do everything).")
@click.option("--expires", metavar="TIME", help="When it ends, for example 12h or 30d (default: never).")
@click.pass_obj
def make(target: Target, participant: str | None, expires: str | None) -> None:
    """Make a token and print it, once. From the first on, servers of this store ask for one."""
    ttl = None if expires is None else seconds(expires)
    with target.store(make=True) as store:
        issued = run(store.backend, Tokens().make(participant, ttl))
    target.emit({"token": issued.text, **issued.token.to_dict()}, issued.text)


@token.command("list")
@click.pass_obj
def list_tokens(target: Target) -> None:
    """List the tokens, revoked ones too, without their secrets."""
    with extra("server", "`sharedctx token`"):
        from .replies import iso
    with target.store() as store:
        found = run(store.backend, Tokens().all())
        now = store.backend.now()
    rows = []
    for each in found:
        ended = each.expires_at is not None and each.expires_at <= now
        state = "revoked" if each.revoked_at is not None else "expired" if ended else "counts"
        rows.append((each.id, each.participant or "(everything)", iso(each.created_at), state))
    target.emit_table([each.to_dict() for each in found], ("id", "participant", "made", "state"), rows)


@token.command()
@click.argument("token_id", metavar="ID")
@click.pass_obj
def revoke(target: Target, token_id: str) -> None:
    """Revoke the token with this ID; servers refuse it within a second."""
    with target.store() as store:
        found = run(store.backend, Tokens().revoke(token_id))
    target.emit(found.to_dict(), f"revoked {found.id}")
