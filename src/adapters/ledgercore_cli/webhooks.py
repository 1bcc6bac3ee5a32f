"""`ledgercore webhook`: where events are delivered, and what came of it."""

import click

from ledgercore.events.deliveries import Delivery
from ledgercore.events.documents import delivery_document, webhook_document
from ledgercore.identity.audit import OPERATOR
from ledgercore.ledger.documents import id_from
from ledgercore_cli.parameters import paging_options
from ledgercore_cli.people import SITTING_HERE
from ledgercore_cli.rendering import Column, Facts, Table, moment
from ledgercore_cli.session import Session, pass_session

_id_argument = click.argument("id_", metavar="ID")


@click.group()
def webhook() -> None:
    """List webhooks and their deliveries, and deliver again.

    Users add webhooks over HTTP; `ledgercore worker` delivers.
    """


@webhook.command("list")
@paging_options
@pass_session
def list_(session: Session, limit: int, cursor: str | None) -> None:
    """List the webhooks of all users in the order in which they were added."""
    with session.bank() as bank:
        page = bank.webhooks.page(by=SITTING_HERE, cursor=cursor, limit=limit)
    columns = (
        Column("id"), Column("url", folds=True), Column("of"), Column("told up to", right=True), Column("state"),
    )  # fmt: skip
    rows = [
        (
            str(each.id), each.url, each.ledger or f"user {each.owner_id}", str(each.after_number),
            each.disabled_reason or ("failing" if each.failing else "active"),
        )
        for each in page.items
    ]  # fmt: skip
    session.show(
        {"items": [webhook_document(each) for each in page.items], "next_cursor": page.next_cursor},
        Table(columns=columns, rows=rows, empty="no webhooks"),
    )
    session.more(page.next_cursor)


@webhook.command()
@_id_argument
@paging_options
@pass_session
def deliveries(session: Session, id_: str, limit: int, cursor: str | None) -> None:
    """List what was delivered to a webhook, newest first."""
    id = id_from(id_)
    assert id is not None
    with session.bank() as bank:
        page = bank.webhooks.deliveries(id, by=SITTING_HERE, cursor=cursor, limit=limit)
    columns = (
        Column("id"), Column("event", right=True), Column("type"), Column("state"), Column("attempts", right=True),
        Column("last answer"), Column("next attempt"),
    )  # fmt: skip
    rows = [
        (
            str(each.id), str(each.event_number), each.event_type, each.status.value, str(len(each.attempts)),
            _last_answer(each), moment(each.next_attempt_at),
        )
        for each in page.items
    ]  # fmt: skip
    session.show(
        {"items": [delivery_document(each) for each in page.items], "next_cursor": page.next_cursor},
        Table(columns=columns, rows=rows, empty="no deliveries"),
    )
    session.more(page.next_cursor)


@webhook.command()
@_id_argument
@click.option("--from", "from_number", type=int, required=True, metavar="NUMBER", help="The first event to deliver.")
@pass_session
def replay(session: Session, id_: str, from_number: int) -> None:
    """Deliver everything again from the event of a number on."""
    id = id_from(id_)
    assert id is not None
    with session.bank() as bank:
        endpoint = bank.webhooks.replay(id, from_number, by=SITTING_HERE, actor=OPERATOR)
    facts = [("id", str(endpoint.id)), ("url", endpoint.url), ("told up to", str(endpoint.after_number))]
    session.show(webhook_document(endpoint), Facts(facts))


def _last_answer(delivery: Delivery) -> str:
    if not delivery.attempts:
        return ""
    last = delivery.attempts[-1]
    return str(last.status_code) if last.status_code is not None else last.reason or ""
