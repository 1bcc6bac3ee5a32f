"""`ledgercore payment`: payments of all users, as an operator sees them."""

from uuid import UUID

import click

from ledgercore.identity.audit import OPERATOR
from ledgercore.pages import check_limit
from ledgercore.payments.documents import payment_document, return_document
from ledgercore.payments.normalizers import FILTERS, payment_filter
from ledgercore.payments.payments import Payment, Return
from ledgercore_cli.parameters import ID
from ledgercore_cli.people import SITTING_HERE
from ledgercore_cli.rendering import Column, Facts, Table, Text, moment
from ledgercore_cli.session import Session, pass_session

_payment_argument = click.argument("id_", type=ID, metavar="PAYMENT")


@click.group()
def payment() -> None:
    """List, show, process, cancel and return payments.

    A PAYMENT is named by its id. Users ask for payments over HTTP.
    """


@payment.command("list")
@click.option("--user", "user_id", type=ID, metavar="UUID", help="Only this user's.")
@click.option("--status", metavar="STATUS", help="pending, processing, completed, failed or cancelled.")
@click.option("--direction", metavar="DIRECTION", help="credit or debit.")
@click.option("--type", "payment_type", metavar="TYPE", help="transfer, payment, deposit or withdrawal.")
@click.option("--from", "date_from", metavar="TIME", help="Not before this time.")
@click.option("--to", "date_to", metavar="TIME", help="Not after this time.")
@click.option("--at-least", "amount_min", metavar="AMOUNT", help="Of so many units or more.")
@click.option("--at-most", "amount_max", metavar="AMOUNT", help="Of so many units or less.")
@click.option("--limit", type=int, default=50, show_default=True, help="At most so many, up to 1,000.")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Which page of so many.")
@pass_session
def list_(session: Session, /, user_id: UUID | None, limit: int, page: int, **filters: str | None) -> None:
    """List payments, newest first."""
    wanted = payment_filter({name: filters[name] for name in FILTERS}, user_id=user_id)
    with session.bank() as bank:
        found = bank.payments.reading.page(wanted, by=SITTING_HERE, page=page, page_size=check_limit(limit))
    columns = (
        Column("created"), Column("status"), Column("direction"), Column("amount", right=True),
        Column("description", folds=True), Column("id"),
    )  # fmt: skip
    rows = [
        (moment(each.inserted_at), each.status.value, each.direction.value, str(each.amount), each.description,
         str(each.id))
        for each in found.items
    ]  # fmt: skip
    document = {
        "items": [payment_document(each) for each in found.items],
        "page": found.page, "page_size": found.page_size,
        "total_count": found.total_count, "total_pages": found.total_pages,
    }  # fmt: skip
    session.show(document, Table(columns=columns, rows=rows, empty="no payments"))
    if found.has_next:
        session.note(f"more: --page {found.page + 1}")


@payment.command()
@_payment_argument
@pass_session
def show(session: Session, id_: UUID) -> None:
    """Show a payment and what came back of it."""
    with session.bank() as bank:
        found = bank.payments.reading.get(id_, by=SITTING_HERE)
        returns = bank.payments.reading.returns(id_, by=SITTING_HERE)
    document = {**payment_document(found), "returns": [return_document(each) for each in returns]}
    session.show(document, _facts(found), *(_returned(each) for each in returns))


@payment.command()
@_payment_argument
@pass_session
def process(session: Session, id_: UUID) -> None:
    """Carry a payment out, one that was left to a worker too; a refused one stays as it was."""
    with session.bank() as bank:
        done = bank.payments.processing.process(id_, by=SITTING_HERE, actor=OPERATOR)
    session.show(payment_document(done), _facts(done))


@payment.command()
@_payment_argument
@pass_session
def cancel(session: Session, id_: UUID) -> None:
    """Call off a payment that is still pending."""
    with session.bank() as bank:
        cancelled = bank.payments.cancellation.cancel(id_, by=SITTING_HERE, actor=OPERATOR)
    session.show(payment_document(cancelled), _facts(cancelled))


@payment.command("return")
@_payment_argument
@click.argument("amount", required=False)
@pass_session
def return_(session: Session, id_: UUID, amount: str | None) -> None:
    """Give back what is left of a completed payment, or an AMOUNT of it."""
    with session.bank() as bank:
        returned = bank.payments.returns.return_(id_, amount, by=SITTING_HERE, actor=OPERATOR)
    session.show(return_document(returned), _returned(returned))


def _facts(found: Payment) -> Facts:
    return Facts(
        [
            ("payment", str(found.id)),
            ("amount", f"{found.amount} {found.direction.value}"),
            ("type", found.payment_type.value),
            ("description", found.description),
            ("status", found.status.value if found.failure is None else f"{found.status.value}: {found.failure}"),
            ("account", str(found.user_bank_account_id)),
            ("user", str(found.user_id)),
            ("created", moment(found.inserted_at)),
            ("posted", "" if found.posted_at is None else moment(found.posted_at)),
            ("transaction", "" if found.transaction_id is None else str(found.transaction_id)),
        ]
    )


def _returned(returned: Return) -> Text:
    at = moment(returned.returned_at)
    return Text(f"returned {returned.amount} at {at} by transaction {returned.transaction_id}")
