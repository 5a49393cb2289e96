"""Commands on who may do what and who did what: grant, audit."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from sharedctx import SharedContext
from sharedctx.access import RIGHTS

from .display import waiting
from .target import Target


@click.command()
@click.argument("participant", required=False)
@click.option("--read", multiple=True, metavar="PATTERN", help="Keys that it may read; * stands for any text.")
@click.option("--write", multiple=True, metavar="PATTERN", help="Keys that it may write.")
@click.option("--delete", multiple=True, metavar="PATTERN", help="Keys that it may remove, erase and trim.")
@click.option("--rollback", multiple=True, metavar="PATTERN", help="Keys that it may roll back.")
@click.option("--admin", multiple=True, metavar="PATTERN", help="Keys that it may do everything with, granting too.")
@click.option("--revoke", is_flag=True, help="Drop the rule: it may do everything again, but administer.")
@click.pass_obj
def grant(target: Target, /, participant: str | None, revoke: bool, **rights: tuple[str, ...]) -> None:
    """Allow PARTICIPANT (a name, or a pattern such as 'subagent:*') just these keys; without one, list the rules.

    Its earlier rule is replaced. Who no rule names may do everything but administer.
    """
    given = any(rights.values())
    if participant is None and (given or revoke):
        raise click.UsageError("name the participant that the rule is for, for example 'subagent:coder'")
    if participant is not None and given == revoke:
        raise click.UsageError("say what it may do, for example --read 'plan/*', or --revoke the rule")
    with target.store(make=participant is not None) as store:
        context = target.context(store)
        if participant is None:
            found = context.grants()
        elif revoke:
            found = context.revoke(participant)
        else:
            found = context.grant(participant, **rights)
    rows = [(name, *(" ".join(rule.get(right, ())) or "-" for right in RIGHTS)) for name, rule in found.rules.items()]
    target.emit_table(found.rules, ("participant", *RIGHTS), sorted(rows))


@click.command()
@click.option("--since", type=click.IntRange(0), default=0, metavar="N", help="What was done after row N.")
@click.option("--limit", type=click.IntRange(1), default=1000, show_default=True, help="At most so many.")
@click.option("--on/--off", "audited", default=None, help="Begin or end the session's audit log.")
@click.option("--head", is_flag=True, help="Print the newest row's digest, to be kept elsewhere.")
@click.option("--verify", is_flag=True, help="Check the chain; exits 1 when something is wrong.")
@click.option("--against", metavar="HEAD", help="With --verify: a digest that was kept.")
@click.pass_obj
def audit(
    target: Target, since: int, limit: int, audited: bool | None, head: bool, verify: bool, against: str | None
) -> None:
    """Show who did what to which version, and when, from the session's audit log."""
    if sum((audited is not None, head, verify)) > 1:
        raise click.UsageError("--on, --off, --head and --verify are one at a time")
    if against is not None and not verify:
        raise click.UsageError("--against goes with --verify")
    with target.store(make=bool(audited)) as store:
        context = target.context(store)
        if audited is not None:
            context.configure(audit=audited)
            target.emit({"audit": audited}, f"the audit log of {target.session} is {'on' if audited else 'off'}")
        elif head:
            found = context.audit_head()
            target.emit(
                {"head": None if found is None else str(found)}, "no audit log" if found is None else str(found)
            )
        elif verify:
            _verify(target, context, against)
        else:
            _list(target, context, since, limit)


def _verify(target: Target, context: SharedContext, against: str | None) -> None:
    with waiting("checking", hidden=target.as_json):
        faults = context.verify_audit(against)
    target.emit({"faults": faults}, "\n".join(faults) or "no fault found")
    if faults:
        sys.exit(1)


def _list(target: Target, context: SharedContext, since: int, limit: int) -> None:
    records = context.audit(since, limit)
    rows = []
    for record in records:
        when = datetime.fromtimestamp(record.at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        version = "-" if record.version is None else f"v{record.version}"
        rows.append(
            (
                str(record.number),
                when,
                record.participant or "-",
                record.action,
                record.key or "-",
                version,
                record.detail,
            )
        )
    columns = ("row", "time", "participant", "action", "key", "version", "detail")
    target.emit_table([record.to_dict() for record in records], columns, rows)
