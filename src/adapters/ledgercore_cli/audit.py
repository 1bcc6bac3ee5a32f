"""`ledgercore audit`: who did what, and whether the record of it is sound."""

import json
from datetime import datetime
from typing import Any

import click

from ledgercore.identity.audit import ACTIONS, AuditFilter
from ledgercore.identity.documents import audit_document
from ledgercore_cli.exit_codes import DIVERGED
from ledgercore_cli.parameters import MOMENT, paging_options
from ledgercore_cli.rendering import Column, Table, Text, moment
from ledgercore_cli.session import Session, pass_session


@click.group()
def audit() -> None:
    """Read and verify the audit log.

    It records every security event and every action of admins and operators, and is never changed.
    """


@audit.command("list")
@click.option("--action", type=click.Choice(ACTIONS), metavar="ACTION", help="What was done, such as user_login.")
@click.option("--actor", metavar="NAME", help="Who did it: user:ID, token:ID, operator or anonymous.")
@click.option("--target", metavar="NAME", help="What it was done to: user:ID, token:ID or ledger:NAME.")
@click.option("--since", type=MOMENT, metavar="TIME", help="Not before this time.")
@click.option("--until", type=MOMENT, metavar="TIME", help="Not after this time.")
@paging_options
@pass_session
def list_(
    session: Session,
    action: str | None,
    actor: str | None,
    target: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    cursor: str | None,
) -> None:
    """List what happened, newest first."""
    wanted = AuditFilter(action=action, actor=actor, target=target, since=since, until=until)
    with session.identity() as identity:
        page = identity.audit.page(wanted, cursor=cursor, limit=limit)
    documents = [audit_document(entry) for entry in page.items]
    columns = (
        Column("number", right=True), Column("at"), Column("action"), Column("actor"), Column("source"),
        Column("target"), Column("details", folds=True),
    )  # fmt: skip
    rows = [_row(entry.log.recorded_at, document) for entry, document in zip(page.items, documents, strict=True)]
    session.show(
        {"items": documents, "next_cursor": page.next_cursor},
        Table(columns=columns, rows=rows, empty="nothing happened"),
    )
    session.more(page.next_cursor)


@audit.command()
@pass_session
@click.pass_context
def verify(ctx: click.Context, session: Session) -> None:
    """Walk the whole log: whether anything was changed, moved or taken out since it was recorded.

    The first entry that is broken is named. Exit status 6 when there is one. Keep the head that is printed:
    while `audit list --json` still has it, nobody has cut off or rewritten what was before it.
    """
    with session.identity() as identity:
        broken = identity.audit.verify()
        newest = identity.audit.page(AuditFilter(), limit=1).items
    if broken is not None:
        at = f"entry {broken.log.batch}, recorded {moment(broken.log.recorded_at)}"
        said = f"the log is broken at {at}: changed, moved, or not the one that came after the entry before it"
    elif newest:
        said = f"the log is sound: {newest[0].log.batch:,} entries\nhead {newest[0].log.head.hex()}"
    else:
        said = "the log is empty"
    session.show({"sound": broken is None, "first_broken": None if broken is None else broken.log.batch}, Text(said))
    if broken is not None:
        ctx.exit(DIVERGED)


def _row(at: datetime, document: dict[str, Any]) -> tuple[str, ...]:
    details = document["details"]
    return (
        str(document["number"]), moment(at), document["action"], document["actor"], document["source"] or "",
        document["target"] or "", json.dumps(details, ensure_ascii=False) if details else "",
    )  # fmt: skip
