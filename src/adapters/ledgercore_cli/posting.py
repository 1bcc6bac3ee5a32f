"""`ledgercore post` and `reverse`: transfers, whole transactions, batches, and undoing them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import IO
from uuid import UUID

import click

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import BATCH_TOO_LARGE, INVALID_ARGUMENT
from ledgercore.ledger.commands import BATCH_MAX
from ledgercore.ledger.documents import parse_json, transaction_document, transaction_from
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.outcomes import Applied, Outcome, Posted, Refused
from ledgercore.ledger.report_documents import outcome_document
from ledgercore.ledger.transactions import Precondition, Transaction, transfer
from ledgercore.money import Currencies
from ledgercore_cli import exit_codes
from ledgercore_cli.parameters import (
    ID,
    MOMENT,
    TEXT_FILE,
    currencies_of,
    document,
    lines,
    metadata,
    money,
    naming_options,
    pairs,
    signed_minor,
    text,
    whole,
)
from ledgercore_cli.rendering import Column, Table
from ledgercore_cli.session import Session, pass_session
from ledgercore_cli.transactions import transaction_views

REFUSALS_SHOWN_MAX = 100


@click.command()
@click.argument("debit", required=False)
@click.argument("credit", required=False)
@click.argument("amount", required=False)
@click.argument("currency", required=False)
@click.option("--file", type=TEXT_FILE, help="One transaction as a JSON document; - reads standard input.")
@click.option("--batch", type=TEXT_FILE, help="Transactions, one JSON document each line; - reads standard input.")
@click.option("--atomic", is_flag=True, help="Post the whole batch or nothing of it.")
@click.option("--effective-at", type=MOMENT, help="When it counts, if not now; a time with offset.")
@click.option("--description", metavar="TEXT", help="Free text.")
@click.option("--reference", metavar="TEXT", help="Your own number for it, to search by.")
@click.option("--metadata", "metadata_", multiple=True, metavar="NAME=VALUE", help="Attach a text.")
@click.option("--expect-balance", multiple=True, metavar="ACCOUNT=AMOUNT", help="Post only at this posted balance.")
@click.option("--expect-version", multiple=True, metavar="ACCOUNT=N", help="Post only at this version.")
@naming_options
@click.pass_context
def post(
    ctx: click.Context,
    debit: str | None,
    credit: str | None,
    amount: str | None,
    currency: str | None,
    file: IO[bytes] | None,
    batch: IO[bytes] | None,
    atomic: bool,
    effective_at: datetime | None,
    description: str | None,
    reference: str | None,
    metadata_: tuple[str, ...],
    expect_balance: tuple[str, ...],
    expect_version: tuple[str, ...],
    id_: UUID | None,
    key: str | None,
) -> None:
    """Post AMOUNT: debit one account, credit another; or post what a file says.

    \b
    ledgercore post assets:bank income:sales 120.00 EUR --key invoice-17
    ledgercore post --file - < transaction.json
    ledgercore post --batch transactions.ndjson --atomic
    """
    session = ctx.find_object(Session)
    assert session is not None
    given = [value for value in (debit, credit, amount, currency) if value is not None]
    if sum((bool(given), file is not None, batch is not None)) != 1:
        raise click.UsageError("give DEBIT CREDIT AMOUNT CURRENCY, or --file, or --batch", ctx)
    if given and len(given) < 4:
        raise click.UsageError("all of DEBIT CREDIT AMOUNT CURRENCY are needed", ctx)
    if not given and any((effective_at, description, reference, metadata_, expect_balance, expect_version, id_, key)):
        raise click.UsageError("what a file says is not changed by options", ctx)
    if atomic and batch is None:
        raise click.UsageError("--atomic is for --batch", ctx)
    with session.ledger() as ledger:
        currencies = currencies_of(ledger)
        if batch is not None:
            ctx.exit(_post_batch(session, ledger, batch, currencies, atomic=atomic))
        if file is not None:
            transaction = transaction_from(document(file), currencies)
        else:
            transaction = transfer(
                debit=str(debit),
                credit=str(credit),
                amount=money(str(amount), str(currency), currencies),
                id=id_,
                key=key,
                effective_at=effective_at,
                description=description,
                reference=reference,
                metadata=metadata(metadata_),
                preconditions=_preconditions(ledger, expect_balance, expect_version),
            )
        show_posted(session, ledger, ledger.post(transaction))


@click.command()
@click.argument("transaction", type=ID)
@click.argument("amount", required=False)
@click.option("--lines", "lines_", type=TEXT_FILE, help="Lines of it as a JSON array, with what to undo of each.")
@click.option("--effective-at", type=MOMENT, help="When it counts, if not now.")
@click.option("--description", metavar="TEXT", help="Free text.")
@naming_options
@pass_session
def reverse(
    session: Session,
    transaction: UUID,
    amount: str | None,
    lines_: IO[bytes] | None,
    effective_at: datetime | None,
    description: str | None,
    id_: UUID | None,
    key: str | None,
) -> None:
    """Undo TRANSACTION, a UUID or key:TEXT, by a new one: what remains of it, or AMOUNT of it."""
    with session.ledger() as ledger:
        part = None
        if amount is not None:
            posted = ledger.get_transaction(transaction)
            part = money(amount, posted.lines[0].line.amount.currency.code, currencies_of(ledger))
        outcome = ledger.reverse(
            transaction,
            amount=part,
            lines=lines(lines_, currencies_of(ledger)) if lines_ is not None else (),
            effective_at=effective_at,
            description=description,
            id=id_,
            key=key,
        )
        show_posted(session, ledger, outcome)


def show_posted(session: Session, ledger: Ledger, outcome: Posted) -> None:
    """Show the transaction that a command posted, now or when it was first given."""
    posted = ledger.get_transaction(outcome.id)
    found = {**transaction_document(posted), "replayed": outcome.replayed}
    session.show(found, *transaction_views(posted, replayed=outcome.replayed))


def _preconditions(
    ledger: Ledger, expect_balance: Sequence[str], expect_version: Sequence[str]
) -> Iterator[Precondition]:
    for path, expected in pairs(expect_balance, field="expect_balance").items():
        currency = ledger.get_account(path).currency
        yield Precondition(path, balance=signed_minor(expected, currency, field="expect_balance"))
    for path, expected in pairs(expect_version, field="expect_version").items():
        yield Precondition(path, version=whole(expected, field="expect_version"))


def _post_batch(session: Session, ledger: Ledger, file: IO[bytes], currencies: Currencies, *, atomic: bool) -> int:
    """Post every line of a file; the status is 1 when any of them was refused."""
    numbered = list(_read_batch(file, currencies))
    outcomes = ledger.post_all([transaction for _, transaction in numbered], atomic=atomic)
    results = [(number, outcome) for (number, _), outcome in zip(numbered, outcomes, strict=True)]
    refused = [(number, outcome) for number, outcome in results if isinstance(outcome, Refused)]
    replayed = sum(isinstance(outcome, Applied) and outcome.replayed for outcome in outcomes)
    counts = {"posted": len(results) - len(refused) - replayed, "replayed": replayed, "refused": len(refused)}
    table = Table(
        columns=(Column("line", right=True), Column("refused because"), Column("details", folds=True)),
        rows=[_refusal(number, outcome) for number, outcome in refused[:REFUSALS_SHOWN_MAX]],
        totals=[("", f"{counts['posted']:,} posted, {replayed:,} replayed, {len(refused):,} refused", "")],
    )
    items = [{"line": number, **outcome_document(outcome)} for number, outcome in results]
    session.show({**counts, "outcomes": items}, table)
    return exit_codes.REFUSED_IN_PART if refused else exit_codes.DONE


def _read_batch(file: IO[bytes], currencies: Currencies) -> Iterator[tuple[int, Transaction]]:
    found = 0
    for number, data in enumerate(file, start=1):
        if not data.strip():
            continue
        found += 1
        if found > BATCH_MAX:
            raise ValidationError(
                BATCH_TOO_LARGE, field=file.name, commands_max=BATCH_MAX, why="import takes files of any length"
            )
        try:
            yield number, transaction_from(parse_json(text(data, field=file.name)), currencies)
        except ValidationError as error:
            raise ValidationError(error.reason, **{"row": number, **error.details}) from error
    if not found:
        raise ValidationError(INVALID_ARGUMENT, field=file.name, why="the file holds no transaction")


def _refusal(number: int, outcome: Outcome) -> tuple[str, str, str]:
    assert isinstance(outcome, Refused)
    return str(number), outcome.reason.code, str(outcome.error).partition(": ")[2]
