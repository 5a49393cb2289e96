"""Completion in shells: the keys of the session that the words before name."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from sharedctx.errors import SharedContextError

from .target import Target

_MOST = 200


class Key(click.types.StringParamType):
    """A key; shells complete it with those that there are, in ``KEY@VERSION`` with the versions."""

    def __init__(self, *, versions: bool = False) -> None:
        self._versions = versions

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The keys, or versions of a key, that start with what was typed; none where there is no store."""
        given = ctx.find_root().params
        target = Target(given.get("path") or given.get("url"), given.get("session") or "default", None, False)
        try:
            with target.store() as store:
                context = target.context(store)
                key, at, number = incomplete.rpartition("@")
                if self._versions and at:
                    found = [f"{key}@{entry.version}" for entry in context.history(key, _MOST)]
                    return [CompletionItem(each) for each in found if each.startswith(f"{key}@{number}")]
                end = "@" if self._versions else ""
                return [CompletionItem(f"{each}{end}") for each in context.keys(incomplete)[:_MOST]]
        except SharedContextError:
            return []


KEY = Key()
KEY_VERSION = Key(versions=True)
