"""`ledgercore reconcile`: which lines of statements and which entries of the ledger are the same money."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

import click

from ledgercore.identity.audit import OPERATOR
from ledgercore.money import Currency, known_currency
from ledgercore.statements.documents import (
    match_document,
    proposal_document,
    reconciled_document,
    reconciliation_document,
    rules_from,
    signed_amount_from,
    unmatched_document,
)
from ledgercore.statements.matches import Match, Proposal
from ledgercore.statements.proving import Reconciliation
from ledgercore.statements.reconciling import Unmatched
from ledgercore_cli import exit_codes
from ledgercore_cli.parameters import ID, paging_options
from ledgercore_cli.rendering import Column, Table, Text, moment
from ledgercore_cli.session import Session, pass_session
from ledgercore_cli.statements import PART_COLUMNS, account_option, line_cells, minor_text

_Command = TypeVar("_Command", bound=Callable[..., Any])
_MATCH_COLUMNS: Final = (
    Column("match"), Column("stage"), Column("amount", right=True), Column(""), Column("lines", right=True),
    Column("transactions", right=True), Column("why", folds=True), Column("made"), Column("undone"),
)  # fmt: skip


def rules_options(command: _Command) -> _Command:
    """What counts as near."""
    window = click.option("--window-days", metavar="N", help="How many days apart the two may be (default 5).")
    tolerance = click.option("--tolerance", metavar="AMOUNT", help="By how much amounts may differ.")
    account = click.option("--tolerance-account", metavar="PATH", help="Where such differences are booked.")
    return window(tolerance(account(command)))


@click.group()
def reconcile() -> None:
    """Bring statements and ledger together.

    A match says which lines of statements and which transactions are the same money. Certain ones are made by
    themselves; about the others somebody decides.
    """


@reconcile.command()
@account_option
@rules_options
@pass_session
def run(session: Session, /, account: str, **asked: str | None) -> None:
    """Make every match that is certain, and suggest the others."""
    ledger = session.ledger_name
    with session.bank() as bank:
        currency = bank.statements.currency_of(ledger, account)
        done = bank.reconciler.run(ledger, account, rules_from(asked, currency), actor=OPERATOR)
        left = bank.reconciler.unmatched(ledger, account)
    session.show(
        reconciled_document(done, currency),
        _match_table(done.made, currency, empty="no matches made"),
        _suggestions(done.suggested, left, currency),
    )


@reconcile.command()
@account_option
@rules_options
@pass_session
def suggest(session: Session, /, account: str, **asked: str | None) -> None:
    """List what a run would match, and what it would leave to you."""
    ledger = session.ledger_name
    with session.bank() as bank:
        currency = bank.statements.currency_of(ledger, account)
        proposals = bank.reconciler.suggest(ledger, account, rules_from(asked, currency))
        left = bank.reconciler.unmatched(ledger, account)
    session.show(
        {"items": [proposal_document(each, currency) for each in proposals]}, _suggestions(proposals, left, currency)
    )


@reconcile.command()
@account_option
@pass_session
def unmatched(session: Session, account: str) -> None:
    """List lines and transactions that nothing explains, or not wholly."""
    ledger = session.ledger_name
    with session.bank() as bank:
        currency = bank.statements.currency_of(ledger, account)
        left = bank.reconciler.unmatched(ledger, account)
    rows = [(side, *cells) for side, cells in _open_cells(left, currency).values()]
    columns = (Column("side"), *PART_COLUMNS)
    session.show(unmatched_document(left, currency), Table(columns=columns, rows=rows, empty="everything is explained"))


@reconcile.command()
@account_option
@click.option(
    "--line", "lines_", multiple=True, required=True, metavar="ID[=AMOUNT]",
    help="A line, or part of it; an ID is its number among the lines of the account, or its UUID.",
)  # fmt: skip
@click.option(
    "--transaction", "transactions", multiple=True, required=True, metavar="ID[=AMOUNT]",
    help="A transaction, or part of it; an ID is a UUID, or key: and the key it was posted under.",
)  # fmt: skip
@pass_session
def match(session: Session, account: str, lines_: tuple[str, ...], transactions: tuple[str, ...]) -> None:
    """Match lines and transactions; both sides come to the same.

    Without an AMOUNT, all that is open is meant. Amounts that lower the account have a minus.
    """
    ledger = session.ledger_name
    with session.bank() as bank:
        currency = bank.statements.currency_of(ledger, account)

        def line_id(name: str) -> UUID:
            is_number = name.isascii() and name.isdigit()
            return bank.statements.get_line(ledger, account, int(name[:18])).id if is_number else _id(name)

        made = bank.reconciler.match(
            ledger,
            account,
            lines=[_part(text, currency, line_id, field="line") for text in lines_],
            transactions=[_part(text, currency, _id, field="transaction") for text in transactions],
            actor=OPERATOR,
        )
    session.show(match_document(made, currency), _match_table([made], currency))


@reconcile.command()
@click.argument("id_", metavar="ID", type=ID)
@pass_session
def undo(session: Session, id_: UUID) -> None:
    """Undo a match: what it explained is open again, and what it booked is reversed."""
    ledger = session.ledger_name
    with session.bank() as bank:
        undone = bank.reconciler.undo(ledger, id_, actor=OPERATOR)
        currency = bank.statements.currency_of(ledger, undone.account)
    session.show(match_document(undone, currency), _match_table([undone], currency))


@reconcile.command()
@account_option
@click.option("--undone", is_flag=True, help="Undone ones too.")
@paging_options
@pass_session
def matches(session: Session, account: str, undone: bool, limit: int, cursor: str | None) -> None:
    """List matches in the order they were made."""
    ledger = session.ledger_name
    with session.bank() as bank:
        currency = bank.statements.currency_of(ledger, account)
        page = bank.statements.matches(ledger, account, standing_only=not undone, cursor=cursor, limit=limit)
    session.show(
        {"items": [match_document(each, currency) for each in page.items], "next_cursor": page.next_cursor},
        _match_table(page.items, currency),
    )
    session.more(page.next_cursor)


@reconcile.command()
@account_option
@pass_session
def proof(session: Session, account: str) -> None:
    """Add up both sides: opening, matched and unmatched come to the closing balance. Status 6 if they do not."""
    with session.bank() as bank:
        found = bank.reconciler.proof(session.ledger_name, account)
    session.show(reconciliation_document(found), *_proof_views(found))
    if not found.is_proved:
        click.get_current_context().exit(exit_codes.DIVERGED)


def _open_cells(left: Unmatched, currency: Currency) -> Mapping[UUID, tuple[str, Sequence[str]]]:
    """What is open, by its id: the side it is on, and its cells; lines are named by their number."""
    found: dict[UUID, tuple[str, Sequence[str]]] = {
        each.line.id: ("line", (*line_cells(each.line, each.open_minor)[:-1], str(each.line.number)))
        for each in left.lines
    }
    for each in left.items:
        item = each.item
        text = item.text or next(iter(item.names[1:]), "")
        cells = (
            item.on.isoformat(),
            minor_text(each.open_minor, currency),
            currency.code,
            text,
            str(item.transaction_id),
        )
        found[item.transaction_id] = ("transaction", cells)
    return found


def _suggestions(proposals: Sequence[Proposal], left: Unmatched, currency: Currency) -> Table:
    """A block of rows for each: why, and what is on both sides."""
    cells = _open_cells(left, currency)
    rows: list[tuple[str, ...]] = []
    for number, proposal in enumerate(proposals, 1):
        head = str(number), proposal.stage.value, ", ".join(_reasons(proposal))
        for part in (*proposal.lines, *proposal.transactions):
            side, (day, _, code, text, id) = cells[part.id]
            rows.append((*head, side, day, minor_text(part.signed_minor, currency), code, text, id))
            head = "", "", ""
    columns = (Column("suggestion"), Column("stage"), Column("why", folds=True), Column("side"), *PART_COLUMNS)
    return Table(columns=columns, rows=rows, empty="nothing to suggest")


def _reasons(proposal: Proposal) -> Iterator[str]:
    yield from _why(proposal.why)
    if proposal.tolerance_minor:
        yield "within tolerance"
    if proposal.is_partial:
        yield "in part"
    yield "certain" if proposal.is_certain else "not certain"


def _why(why: Mapping[str, Any]) -> Iterator[str]:
    # The amount has a column of its own.
    return (f"{name} {value}" for name, value in why.items() if name != "amount_minor")


def _match_table(found: Sequence[Match], currency: Currency, *, empty: str = "no matches") -> Table:
    rows = [
        (
            str(each.id), each.stage.value, minor_text(sum(part.signed_minor for part in each.lines), currency),
            currency.code, str(len(each.lines)), str(len(each.transactions)), ", ".join(_why(each.why)),
            moment(each.made_at), moment(each.undone_at),
        )
        for each in found
    ]  # fmt: skip
    return Table(columns=_MATCH_COLUMNS, rows=rows, empty=empty)


def _proof_views(found: Reconciliation) -> Iterator[Table | Text]:
    currency, bank, book = known_currency(found.currency, found.exponent), found.bank, found.book

    def row(name: str, at_bank: int | None, lines: object, in_book: int | None, transactions: object) -> Sequence[str]:
        return name, minor_text(at_bank, currency), str(lines), minor_text(in_book, currency), str(transactions)

    yield Table(
        columns=(
            Column(f"{found.account} {found.currency}"), Column("bank", right=True), Column("lines", right=True),
            Column("ledger", right=True), Column("transactions", right=True),
        ),
        rows=[
            row("opening", bank.opening_minor, "", book.opening_minor, ""),
            row("matched", bank.matched_minor, bank.matched_count, book.matched_minor, book.matched_count),
            row("unmatched", bank.unmatched_minor, bank.unmatched_count, book.unmatched_minor, book.unmatched_count),
        ],
        totals=[
            row("closing", bank.closing_minor, "", book.closing_minor, ""),
            row("difference", bank.difference_minor, "", book.difference_minor, ""),
        ],
    )  # fmt: skip
    yield Text("proved: both sides add up" if found.is_proved else "NOT PROVED: the sides do not add up")
    if found.gaps:
        yield Text("\n".join(found.gaps))


def _part(text: str, currency: Currency, id_of: Callable[[str], UUID], *, field: str) -> tuple[UUID, int | None]:
    """`ID` or `ID=AMOUNT`."""
    name, equals, minor = text.rpartition("=")
    return id_of(name if equals else text), signed_amount_from(minor, currency, field=field) if equals else None


def _id(name: str) -> UUID:
    return ID.convert(name, None, None)
