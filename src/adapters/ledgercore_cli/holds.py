"""`ledgercore hold`: reserve amounts, then capture them, let them go, or see them expire."""

from datetime import datetime
from typing import IO
from uuid import UUID

import click

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import INVALID_STATUS
from ledgercore.ledger.documents import hold_document, hold_from
from ledgercore.ledger.holds import CaptureGroup, ChangeHold, Hold, HoldStatus, PlaceHold, VoidGroup
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.outcomes import Applied, GroupOutcome
from ledgercore.ledger.report_documents import outcome_document
from ledgercore.ledger.transactions import Line
from ledgercore.money import Money, format_grouped
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
    paging_options,
)
from ledgercore_cli.posting import show_posted
from ledgercore_cli.rendering import Column, Facts, Table, Text, View, amount, moment
from ledgercore_cli.session import Session, pass_session

_lines_option = click.option("--lines", "lines_", type=TEXT_FILE, help="Lines of the hold as a JSON array.")


@click.group()
def hold() -> None:
    """Place, capture and void holds; HOLD is a UUID, or key: and the key it was placed with."""


@hold.command()
@click.argument("debit", required=False)
@click.argument("credit", required=False)
@click.argument("amount", required=False)
@click.argument("currency", required=False)
@click.option("--file", type=TEXT_FILE, help="The hold as a JSON document; - reads standard input.")
@click.option("--expires-at", type=MOMENT, help="When it lets go by itself; a time with offset.")
@click.option("--tolerance-bps", type=int, default=0, help="Captures may exceed it by so many hundredths of a percent.")
@click.option("--group", metavar="TEXT", help="Holds of one group can be captured or voided together.")
@click.option("--description", metavar="TEXT", help="Free text; captures carry it on.")
@click.option("--metadata", "metadata_", multiple=True, metavar="NAME=VALUE", help="Attach a text.")
@naming_options
@click.pass_context
def place(
    ctx: click.Context,
    debit: str | None,
    credit: str | None,
    amount: str | None,
    currency: str | None,
    file: IO[bytes] | None,
    expires_at: datetime | None,
    tolerance_bps: int,
    group: str | None,
    description: str | None,
    metadata_: tuple[str, ...],
    id_: UUID | None,
    key: str | None,
) -> None:
    """Reserve AMOUNT between two accounts; nothing is posted until it is captured."""
    session = ctx.find_object(Session)
    assert session is not None
    given = [value for value in (debit, credit, amount, currency) if value is not None]
    if (len(given) != 4) == (file is None) or (given and file is not None):
        raise click.UsageError("give DEBIT CREDIT AMOUNT CURRENCY, or --file", ctx)
    if file is not None and any((expires_at, tolerance_bps, group, description, metadata_, id_, key)):
        raise click.UsageError("what a file says is not changed by options", ctx)
    with session.ledger() as ledger:
        currencies = currencies_of(ledger)
        if file is not None:
            wanted = hold_from(document(file), currencies)
        else:
            wanted = PlaceHold(
                lines=[Line(money(str(amount), str(currency), currencies), debit, credit)],
                expires_at=expires_at,
                tolerance_bps=tolerance_bps,
                group=group,
                description=description,
                metadata=metadata(metadata_),
                id=id_,
                key=key,
            )
        outcome = ledger.place(wanted)
        _show(session, ledger.get_hold(outcome.id), outcome)


@hold.command()
@click.argument("hold_id", metavar="HOLD", type=ID)
@click.argument("amount", required=False)
@_lines_option
@naming_options
@pass_session
def change(
    session: Session,
    hold_id: UUID,
    amount: str | None,
    lines_: IO[bytes] | None,
    id_: UUID | None,
    key: str | None,
) -> None:
    """Raise or lower an open hold to AMOUNT in total."""
    with session.ledger() as ledger:
        wanted = ChangeHold(
            hold=hold_id,
            amount=_amount(ledger, hold_id, amount),
            lines=lines(lines_, currencies_of(ledger)),
            id=id_,
            key=key,
        )
        [outcome] = ledger.post_all([wanted])
        assert not isinstance(outcome, GroupOutcome)
        _show(session, ledger.get_hold(hold_id), outcome.or_raise())


@hold.command()
@click.argument("hold_id", metavar="HOLD", type=ID)
@click.argument("amount", required=False)
@_lines_option
@click.option("--final", is_flag=True, help="Let go of what is not captured now.")
@click.option("--effective-at", type=MOMENT, help="When it counts, if not now.")
@click.option("--description", metavar="TEXT", help="Free text.")
@naming_options
@pass_session
def capture(
    session: Session,
    hold_id: UUID,
    amount: str | None,
    lines_: IO[bytes] | None,
    final: bool,
    effective_at: datetime | None,
    description: str | None,
    id_: UUID | None,
    key: str | None,
) -> None:
    """Post what remains of an open hold, or AMOUNT of it."""
    with session.ledger() as ledger:
        outcome = ledger.capture(
            hold_id,
            amount=_amount(ledger, hold_id, amount),
            lines=lines(lines_, currencies_of(ledger)),
            final=final,
            effective_at=effective_at,
            description=description,
            id=id_,
            key=key,
        )
        show_posted(session, ledger, outcome)


@hold.command()
@click.argument("hold_id", metavar="HOLD", type=ID)
@naming_options
@pass_session
def void(session: Session, hold_id: UUID, id_: UUID | None, key: str | None) -> None:
    """Let go of what a hold still reserves."""
    with session.ledger() as ledger:
        outcome = ledger.void(hold_id, id=id_, key=key)
        _show(session, ledger.get_hold(hold_id), outcome)


@hold.command()
@click.argument("hold_id", metavar="HOLD", type=ID)
@click.option("--expires-at", type=MOMENT, help="When the new one lets go by itself.")
@naming_options
@pass_session
def replace(session: Session, hold_id: UUID, expires_at: datetime | None, id_: UUID | None, key: str | None) -> None:
    """Place an expired hold's remainder again, as a new hold."""
    with session.ledger() as ledger:
        outcome = ledger.replace_hold(hold_id, expires_at=expires_at, id=id_, key=key)
        _show(session, ledger.get_hold(outcome.id), outcome)


@hold.command()
@click.argument("hold_id", metavar="HOLD", type=ID)
@pass_session
def show(session: Session, hold_id: UUID) -> None:
    """Show a hold."""
    with session.ledger() as ledger:
        found = ledger.get_hold(hold_id)
    _show(session, found)


@hold.command("list")
@click.option("--status", metavar="STATUS", help="open, captured, voided or expired.")
@click.option("--group", metavar="TEXT", help="Those of this group.")
@click.option("--account", metavar="PATH", help="Those that reserve on this account.")
@paging_options
@pass_session
def list_(
    session: Session,
    status: str | None,
    group: str | None,
    account: str | None,
    limit: int,
    cursor: str | None,
) -> None:
    """List holds."""
    if status is not None and status not in [*HoldStatus]:
        raise ValidationError(INVALID_STATUS, field="status", value=status[:60], allowed=[*HoldStatus])
    with session.ledger() as ledger:
        page = ledger.list_holds(
            status=None if status is None else HoldStatus(status),
            group=group,
            account=account,
            limit=limit,
            cursor=cursor,
        )
    columns = Column("id"), Column("status"), Column("debit"), Column("credit"), *_AMOUNTS, Column("expires")
    rows = [
        (str(each.id), each.status.value, *cells, moment(each.expires_at))
        for each in page.items
        for cells in _line_cells(each)
    ]
    session.show(
        {"items": [hold_document(each) for each in page.items], "next_cursor": page.next_cursor},
        Table(columns=columns, rows=rows, empty="no holds"),
    )
    session.more(page.next_cursor)


@hold.command()
@pass_session
def expire(session: Session) -> None:
    """Let go of every hold whose time has passed."""
    with session.ledger() as ledger:
        count = ledger.expire_holds()
    session.show({"expired": count}, Text(f"{count:,} expired"))


@hold.command("capture-group")
@click.argument("group")
@naming_options
@pass_session
def capture_group(session: Session, group: str, id_: UUID | None, key: str | None) -> None:
    """Capture what remains of every open hold of GROUP, or of none."""
    _close_group(session, CaptureGroup(group=group, id=id_, key=key), "captured")


@hold.command("void-group")
@click.argument("group")
@naming_options
@pass_session
def void_group(session: Session, group: str, id_: UUID | None, key: str | None) -> None:
    """Void every open hold of GROUP, or none."""
    _close_group(session, VoidGroup(group=group, id=id_, key=key), "voided")


_AMOUNTS = (
    Column("held", right=True),
    Column("captured", right=True),
    Column("remaining", right=True),
    Column(""),
)


def _close_group(session: Session, command: CaptureGroup | VoidGroup, done: str) -> None:
    with session.ledger() as ledger:
        [outcome] = ledger.post_all([command])
        assert not isinstance(outcome, GroupOutcome)
        applied = outcome.or_raise()
    again = " (replayed)" if applied.replayed else ""
    session.show({**outcome_document(applied), "group": command.group}, Text(f"{done} group {command.group}{again}"))


def _amount(ledger: Ledger, hold_id: UUID, text: str | None) -> Money | None:
    if text is None:
        return None
    currency = ledger.get_hold(hold_id).lines[0].line.amount.currency
    return money(text, currency.code, currencies_of(ledger))


def _show(session: Session, found: Hold, outcome: Applied | None = None) -> None:
    extra = {} if outcome is None else {"number": outcome.number, "replayed": outcome.replayed}
    session.show({**hold_document(found), **extra}, *_views(found))


def _views(found: Hold) -> list[View]:
    return [
        Facts(
            [
                ("hold", str(found.id)),
                ("status", found.status.value),
                ("placed", found.placed_at.isoformat()),
                ("expires", "" if found.expires_at is None else found.expires_at.isoformat()),
                ("tolerance", f"{found.tolerance_bps} bps" if found.tolerance_bps else ""),
                ("group", found.group or ""),
                ("description", found.description or ""),
                ("replaces", str(found.replaces or "")),
            ]
        ),
        Table(columns=(Column("debit"), Column("credit"), *_AMOUNTS), rows=_line_cells(found)),
    ]


def _line_cells(found: Hold) -> list[tuple[str, ...]]:
    return [
        (
            held.line.debit or "", held.line.credit or "", amount(held.line.amount),
            format_grouped(held.captured, held.line.amount.currency),
            format_grouped(held.remaining, held.line.amount.currency), held.line.amount.currency.code,
        )
        for held in found.lines
    ]  # fmt: skip
