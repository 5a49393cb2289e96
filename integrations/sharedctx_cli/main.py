"""The entry point: options that all commands share, commands loaded when they are used, errors as exit codes."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from keyword import iskeyword

import click

from sharedctx.errors import SharedContextError

from .display import alert
from .display import as_json as json_text
from .target import Target, exit_code, told

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
    "top": "top",
    "search": "handover",
    "window": "handover",
    "packet": "handover",
    "savings": "handover",
    "grant": "rights",
    "audit": "rights",
    "stats": "care",
    "sessions": "care",
    "doctor": "care",
    "backup": "care",
    "export": "archives",
    "import": "archives",
    "copy": "care",
    "keygen": "care",
    "redis": "redis",
}


_SHARED = ("--path", "--url", "--session", "--as")
_UNWRITTEN = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
GROUP = "sharedctx.commands"
"""Entry points of this group add commands: integrations' and other packages'."""


class Commands(click.Group):
    """Imports a command's module when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from importlib.metadata import entry_points  # 30 ms, which the usual commands do without

        return [*_COMMANDS, *sorted(entry_points(group=GROUP).names - _COMMANDS.keys())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            from importlib.metadata import entry_points

            for found in entry_points(group=GROUP, name=cmd_name):
                added: click.Command = found.load()
                return added
            return None
        module = importlib.import_module(f"sharedctx_cli.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], self.list_commands(ctx), n=3, cutoff=0.6)
            hint = f"the nearest are {', '.join(near)}" if near else "`sharedctx --help` lists them"
            raise click.UsageError(f"there is no command {args[0]!r}: {hint}", ctx)
        return super().resolve_command(ctx, args)


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
    _open_streams()
    try:
        code = _done(list(sys.argv[1:] if args is None else args))
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in _UNWRITTEN:
            raise
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # what is left would fail again
        if error.errno != errno.EPIPE:
            alert(f"sharedctx: the output cannot be written: {os.strerror(error.errno)}")
        code = 1
    sys.exit(code)


def _open_streams() -> None:
    """Let all text be printed: pipes get UTF-8 whatever the locale is, and a terminal what it can show of it."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # who started this has closed it
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # for as long as the process
        elif isinstance(stream, TextIOWrapper) and stream.encoding.lower() != "utf-8":
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")


def _done(given: list[str]) -> int:
    """Do what the words say, tell what went wrong with it, and return the exit code."""
    options = given[: given.index("--")] if "--" in given else given
    as_json = "--json" in options
    if as_json:  # it may stand anywhere
        given = ["--json", *(word for word in options if word != "--json"), *given[len(options) :]]
    try:
        code = _call(given)
    except SharedContextError as error:
        if as_json:
            click.echo(json_text({**error.to_dict(), "message": told(error)}))
        else:
            alert(f"sharedctx: {told(error)}")
        return exit_code(error)
    except click.ClickException as error:
        if as_json:
            click.echo(json_text({"error": "USAGE", "message": error.format_message()}))
        else:
            _explain(error)
        return error.exit_code
    except click.Abort:
        return 1
    return code if isinstance(code, int) else 0


def _call(words: list[str]) -> object:
    try:
        return cli.main(words, prog_name="sharedctx", standalone_mode=False)
    except click.NoSuchOption as error:
        led = _led(words, error.option_name)
        if led is None:
            raise
        return _call(led)


def _led(words: list[str], name: str) -> list[str] | None:
    """The words with an option that all commands share at their head, where it stood once and after its command."""
    end = words.index("--") if "--" in words else len(words)
    places = [at for at, word in enumerate(words[:end]) if word.partition("=")[0] == name]
    if name not in _SHARED or len(places) != 1:
        return None
    at = places[0]
    after = at + (1 if "=" in words[at] else 2)
    return [*words[at:after], *words[:at], *words[after:]] if after <= end else None


def _explain(error: click.ClickException) -> None:
    """Tell what was wrong with the words, and where help is."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        alert(f"{context.get_usage()}\nTry '{context.command_path} --help' for help.\n")
    alert(f"Error: {error.format_message()}")
    if isinstance(error, click.NoSuchOption) and error.option_name in _SHARED:
        alert(f"{error.option_name} is given once, before the command: sharedctx {error.option_name} ... COMMAND")
