"""The page on the command line, made from the commands: ``python -m sharedctx_cli.page > docs/command_line.md``."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc

import click

from .main import cli

_HEAD = """# The command line

`sharedctx` works on the store that every process shares. This page is made from its commands
(`python -m sharedctx_cli.page`).

```sh
sharedctx put plan "mend the pump"           # a value is text; --type json, @FILE for a file, - for stdin
sharedctx --as coder put findings @report.json --type json
sharedctx ls
sharedctx get findings                       # the view that a model reads; --full the original
sharedctx diff plan@1 plan@2
sharedctx packet --for reviewer --task "look at the pump" --max-tokens 800
```

- **Store**: `--path DIR`, `--url URL`, else `SHAREDCTX_URL`, else `./.sharedctx`. **Session**: `--session ID`.
- **Who**: `--as PARTICIPANT` writes under that name and is bound by its grants; without it you are the owner.
- **Exit codes**: 0 done, 1 failed, 2 usage, 3 not found, 4 conflict, 5 forbidden.
- **JSON**: `--json`, anywhere before a `--`, prints JSON on stdout, errors as `{"error": CODE, "message": TEXT}`.
- **Pipes** get values exactly as they were stored (text in UTF-8), tables without a header. On a **terminal**
  what is stored cannot drive it: control and direction characters are spelled out, and nothing in a value is markup.
  `NO_COLOR` is kept. Whatever takes more than a second shows on stderr how it goes.
- A wrong key or command is answered with the nearest ones.

Commands load what they need when they are called: `sharedctx ls` imports no framework.

## Completion

Commands, options, keys and versions (`rollback plan@`) complete once the shell was told:

```sh
eval "$(_SHAREDCTX_COMPLETE=bash_source sharedctx)"   # in ~/.bashrc
eval "$(_SHAREDCTX_COMPLETE=zsh_source sharedctx)"    # in ~/.zshrc
_SHAREDCTX_COMPLETE=fish_source sharedctx | source    # in ~/.config/fish/config.fish
```
"""


def commands() -> Iterator[tuple[str, click.Context, click.Command]]:
    """Every command of this project with its words, groups before theirs."""
    root = click.Context(cli, info_name="sharedctx")
    for name in sorted(cli.list_commands(root)):
        command = cli.get_command(root, name)
        if command is not None and (command.callback is None or command.callback.__module__.startswith("sharedctx_")):
            yield from _below(name, command, root)


def _below(
    words: str, command: click.Command, parent: click.Context
) -> Iterator[tuple[str, click.Context, click.Command]]:
    context = click.Context(command, info_name=words.rpartition(" ")[2], parent=parent)
    yield words, context, command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from _below(f"{words} {name}", below, context)


def page() -> str:
    """The page as Markdown."""
    parts = [_HEAD, "## Options before every command\n", _options(click.Context(cli, info_name="sharedctx"), cli)]
    parts.append("\n## Commands\n")
    parts += [_section(words, context, command) for words, context, command in commands()]
    return "\n".join(parts)


def _section(words: str, context: click.Context, command: click.Command) -> str:
    usage = " ".join([f"sharedctx {words}", *command.collect_usage_pieces(context)])
    said = cleandoc(command.help or "").replace("\b\n", "")
    return f"### {words}\n\n`{usage}`\n\n{said}\n{_options(context, command)}"


def _options(context: click.Context, command: click.Command) -> str:
    rows = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
        if record is not None and "--help" not in parameter.opts:
            name, told = (" ".join(part.split()).replace("|", "\\|") for part in record)
            rows.append(f"| `{name}` | {told} |")
    return "\n".join(["", "| option | |", "|---|---|", *rows, ""]) if rows else ""


if __name__ == "__main__":
    click.echo(page(), nl=False)
