"""Commands that hand context over: search, window, packet, savings."""

from __future__ import annotations

import click

from .target import Target


def _priorities(ctx: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, float]:
    found = {}
    for text in given:
        pattern, _, number = text.rpartition("=")
        try:
            found[pattern] = float(number)
        except ValueError:
            raise click.BadParameter(f"{text!r} is not PATTERN=NUMBER, for example 'plan/*=9'") from None
    return found


_PRIORITY = click.option(
    "--priority", "priorities", multiple=True, callback=_priorities, metavar="PATTERN=N", help="Higher goes first."
)
_MAX_TOKENS = click.option("--max-tokens", type=int, required=True, metavar="N", help="The budget, from 50 up.")


@click.command()
@click.argument("query")
@click.option("--prefix", default="", metavar="TEXT", help="Only keys that start with this.")
@click.option("--limit", type=int, default=10, show_default=True, help="At most so many.")
@click.pass_obj
def search(target: Target, query: str, prefix: str, limit: int) -> None:
    """Find the places in all entries that fit the words of QUERY best."""
    with target.store() as store:
        hits = target.context(store).search(query, prefix=prefix, limit=limit)
        listed = [
            {"key": hit.key, "version": hit.version, "ref": hit.ref, "score": hit.score, "snippet": hit.snippet}
            for hit in hits
        ]
        target.emit_table(listed, ("key", "reference", "found"), [(hit.key, hit.ref, hit.snippet) for hit in hits])


@click.command()
@_MAX_TOKENS
@_PRIORITY
@click.option("--query", metavar="WORDS", help="What has these words goes first.")
@click.option("--prefix", default="", metavar="TEXT", help="Only keys that start with this.")
@click.pass_obj
def window(target: Target, max_tokens: int, priorities: dict[str, float], query: str | None, prefix: str) -> None:
    """Print as much of the session as a budget of tokens allows, and how to read the rest."""
    with target.store() as store:
        found = target.context(store).window(max_tokens, priorities=priorities, query=query, prefix=prefix)
        target.emit(found.to_dict(), found.text)


@click.command()
@click.option("--for", "for_agent", required=True, metavar="AGENT", help="Who is handed the context.")
@click.option("--task", default="", metavar="TEXT", help="What the agent is to do.")
@_MAX_TOKENS
@_PRIORITY
@click.option("--prefix", default="", metavar="TEXT", help="Only keys that start with this.")
@click.pass_obj
def packet(
    target: Target, for_agent: str, task: str, max_tokens: int, priorities: dict[str, float], prefix: str
) -> None:
    """Print the bundle that hands the session over to an agent."""
    with target.store() as store:
        found = target.context(store).packet(
            for_agent=for_agent, task=task, max_tokens=max_tokens, priorities=priorities, prefix=prefix
        )
        target.emit(found.to_dict(), found.text)


@click.command()
@click.pass_obj
def savings(target: Target) -> None:
    """Show the tokens that models were served against full replay, by participant and framework."""
    with target.store() as store:
        found = target.context(store).savings()
        columns = ("participant", "face", "kind", "from", "calls", "served tokens", "replay tokens")
        rows = [(each[0] or "-", *each[1:3], each.giver or "-", *each[3:6]) for each in found]
        target.emit_table([each._asdict() for each in found], columns, rows)
