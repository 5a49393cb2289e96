"""The entry point: options that all commands share, commands loaded when they are used, errors as exit codes."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points

import click

from sharedctx.errors import SharedContextError

from .target import Target, exit_code

_COMMANDS = {
    "ls": "entries",
    "get": "entries",
    "put": "entries",
    "expand": "entries",
    "rm": "entries",
    "erase": "entries",
    "history": "versions",
    "diff": "versions",
    "rollback": "versions",
    "watch": "versions",
    "search": "handover",
    "window": "handover",
    "packet": "handover",
    "savings": "handover",
    "stats": "care",
    "sessions": "care",
    "doctor": "care",
    "backup": "care",
    "copy": "care",
    "keygen": "care",
    "redis": "redis",
}


GROUP = "sharedctx.commands"
"""Entry points of this group add commands: integrations' and other packages'."""


class Commands(click.Group):
    """Imports a command's module when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS, *sorted(entry_points(group=GROUP).names - _COMMANDS.keys())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            for found in entry_points(group=GROUP, name=cmd_name):
                added: click.Command = found.load()
                return added
            return None
        command: click.Command = getattr(importlib.import_module(f"sharedctx_cli.{_COMMANDS[cmd_name]}"), cmd_name)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--path", metavar="DIR", help="Directory of the store (default: SHAREDCTX_URL, else ./.sharedctx).")
@click.option("--url", metavar="URL", help="Address of the store: memory://NAME, disk:///DIR, ...")
@click.option("--session", default="default", show_default=True, metavar="ID", help="The session to work on.")
@click.option("--as", "participant", metavar="PARTICIPANT", help="Act as this participant: its name, its grants.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.version_option(package_name="sharedctx")
@click.pass_context
def cli(
    ctx: click.Context, path: str | None, url: str | None, session: str, participant: str | None, as_json: bool
) -> None:
    """One durable, versioned, compressed context that agents of every framework share."""
    if path is not None and url is not None:
        raise click.UsageError("name the store once: --path or --url")
    ctx.obj = Target(path if path is not None else url, session, participant, as_json)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 usage, 3 not found, 4 conflict, 5 forbidden."""
    given = list(sys.argv[1:] if args is None else args)
    options = given[: given.index("--")] if "--" in given else given
    as_json = "--json" in options
    if as_json:  # it may stand anywhere
        given = ["--json", *(word for word in options if word != "--json"), *given[len(options) :]]
    try:
        code = cli.main(given, prog_name="sharedctx", standalone_mode=False)
    except SharedContextError as error:
        if as_json:
            click.echo(json.dumps(error.to_dict(), ensure_ascii=False))
        else:
            click.echo(f"sharedctx: {error.message}", err=True)
        sys.exit(exit_code(error))
    except click.ClickException as error:
        if as_json:
            click.echo(json.dumps({"error": "USAGE", "message": error.format_message()}, ensure_ascii=False))
        else:
            error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
