"""The command: ``sharedctx mcp``."""

from __future__ import annotations

import json
import logging
import sys
from typing import Protocol

import click

import sharedctx
from sharedctx.callers import read_token
from sharedctx.extras import extra


class Target(Protocol):
    """What the command line hands to commands: the options before them."""

    address: str | None
    session: str
    participant: str | None
    as_json: bool


@click.command()
@click.option("--path", metavar="DIR", help="Directory of the store.")
@click.option("--url", metavar="URL", help="Address of the store.")
@click.option("--session", metavar="ID", help="The session to serve.")
@click.option(
    "--as", "participant", metavar="PARTICIPANT", help="Who clients act as (default: as they call themselves)."
)
@click.option("--read-only", is_flag=True, help="Offer no tool that writes.")
@click.option("--allow-delete", is_flag=True, help="Offer the tool that removes entries.")
@click.option("--prefix", default="context_", show_default=True, help="What the names of tools start with.")
@click.option("--max-tokens", default=4000, show_default=True, help="The largest page that a tool reads.")
@click.option("--http", is_flag=True, help="Serve over streamable HTTP at /mcp, not to the process that started this.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=3004, show_default=True, type=click.IntRange(0, 65535), help="Where to listen.")
@click.option("--token-file", type=click.Path(dir_okay=False), help="File with the bearer token (or SHAREDCTX_TOKEN).")
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME", help="A further name the server goes by.")
@click.option("--allow-origin", "origins", multiple=True, metavar="URL", help="A web origin whose pages may call.")
@click.pass_context
def mcp(
    ctx: click.Context,
    path: str | None,
    url: str | None,
    session: str | None,
    participant: str | None,
    read_only: bool,
    allow_delete: bool,
    prefix: str,
    max_tokens: int,
    http: bool,
    host: str,
    port: int,
    token_file: str | None,
    hosts: tuple[str, ...],
    origins: tuple[str, ...],
) -> None:
    """Serve the store to clients of the Model Context Protocol: tools, resources, word of changes."""
    if path is not None and url is not None:
        raise click.UsageError("name the store once: --path or --url")
    with extra("mcp", "`sharedctx mcp`"):
        from .settings import McpSettings
        from .version import SDK  # noqa: F401
    target: Target = ctx.obj
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    settings = McpSettings(
        read_only=read_only,
        allow_delete=allow_delete,
        prefix=prefix,
        max_tokens=max_tokens,
        host=host,
        port=port,
        token=read_token(token_file) if http else None,
        allow_hosts=hosts,
        allow_origins=origins,
    )
    address = path or url or target.address
    with sharedctx.open(address) as store:
        context = store.session(session or target.session)
        name = participant or target.participant
        if name is not None:
            context = context.bind(name)
        if http:
            from .http import serve_http

            def ready(at: str) -> None:
                click.echo(json.dumps({"url": at}) if target.as_json else at)

            serve_http(context, settings, ready=ready)
        else:
            from .stdio import serve_stdio

            serve_stdio(context, settings)
