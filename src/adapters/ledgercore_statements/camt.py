"""CAMT.052 (reports), CAMT.053 (statements) and CAMT.054 (notifications) of ISO 20022, versions 2 to 8."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final
from xml.etree.ElementTree import Element

from ledgercore.money import Money
from ledgercore.statements.statements import Balance, BalanceKind, Direction, EntryDetail, Statement, StatementEntry
from ledgercore_statements.camt_details import read_details
from ledgercore_statements.faults import malformed, quoted
from ledgercore_statements.iso20022 import (
    code_of,
    find,
    message_name,
    name_of,
    needed_text,
    read_day,
    read_money,
    text_of,
)
from ledgercore_statements.xml_documents import read_document

CAMT: Final = "camt"
VERSIONS: Final = range(2, 9)
_KINDS: Final[Mapping[str, str]] = {"Stmt": "camt.053", "Rpt": "camt.052", "Ntfctn": "camt.054"}
_MESSAGES: Final = {"BkToCstmrStmt": "Stmt", "BkToCstmrAcctRpt": "Rpt", "BkToCstmrDbtCdtNtfctn": "Ntfctn"}
# The direction is that of the booking itself, also of a reversal, which only says that it undoes one of the other.
_DIRECTIONS: Final = {"CRDT": Direction.CREDIT, "DBIT": Direction.DEBIT}
_TRUE: Final = ("true", "1")
_NOT_BOOKED: Final[Mapping[str, tuple[str, ...]]] = {
    "PDNG": (),
    "FUTR": (),
    "INFO": ("for information only: the bank does not book it",),
}


def read_camt(data: bytes) -> tuple[Statement, ...]:
    """Read every statement, report or notification of a message, in the order of the file.

    Raises `ValidationError` (`malformed_statement`) with the line and column, or the element as in
    `Stmt 1 Ntry 3`; nothing is returned then.
    """
    reading = _Reading()
    root = read_document(data, reading.take, names=(*_KINDS, "Ntry"), file_format=CAMT)
    if not reading.statements:
        raise malformed(CAMT, root.tag, "there is no statement, report or notification in it")
    return tuple(reading.statements)


class _Reading:
    """Takes the elements of a message as they end: the entries of a statement, then what is left of itself."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self._entries: list[StatementEntry] = []

    def take(self, element: Element, around: Sequence[Element]) -> None:
        parent = around[-1].tag if around else ""
        if element.tag == "Ntry":
            if parent not in _KINDS:
                raise malformed(CAMT, parent, "an entry stands outside of a statement")
            position = f"{parent} {len(self.statements) + 1} Ntry {len(self._entries) + 1}"
            with _placed(position):
                self._entries.append(_entry(element, text_of(around[-1], "Acct", "Id", "IBAN"), position))
        elif _MESSAGES.get(parent) == element.tag:
            with _placed(f"{element.tag} {len(self.statements) + 1}"):
                self.statements.append(_statement(element, _message(element, around), tuple(self._entries)))
            self._entries = []
        else:
            raise malformed(CAMT, element.tag, f"it stands in {parent or 'no message'}")


def _message(element: Element, around: Sequence[Element]) -> str:
    name, version = message_name(reversed(around), _KINDS[element.tag])
    if not name.startswith(_KINDS[element.tag]):
        raise ValueError(f"{element.tag} does not stand in a message {name}")
    if version is not None and version not in VERSIONS:
        raise ValueError(f"version {version} of the message is not one of {VERSIONS[0]} to {VERSIONS[-1]}")
    return name


def _statement(element: Element, message: str, entries: tuple[StatementEntry, ...]) -> Statement:
    warnings: list[str] = []
    account = find(element, "Acct")
    balances = tuple(_balance(balance, warnings) for balance in element.findall("Bal"))
    amounts = [balance.amount for balance in balances] + [entry.amount for entry in entries]
    currency = text_of(account, "Ccy") or (amounts[0].currency.code if amounts else None)
    is_statement = element.tag == "Stmt"
    opening = _first(balances, currency, BalanceKind.OPENING, BalanceKind.PREVIOUS)
    closing = _first(balances, currency, BalanceKind.CLOSING)
    interim = [balance for balance in balances if balance.kind is BalanceKind.INTERIM] if is_statement else []
    if interim and opening is None:
        # A page in the middle of a statement begins and ends with interim balances.
        opening = interim.pop(0)
    if interim and closing is None:
        closing = interim[-1]
    return Statement(
        format=message,
        account=text_of(account, "Id", "IBAN") or text_of(account, "Id", "Othr", "Id"),
        currency=currency,
        reference=text_of(element, "Id"),
        number=text_of(element, "ElctrncSeqNb") or text_of(element, "LglSeqNb"),
        opening=opening,
        closing=closing,
        balances=balances,
        entries=entries,
        warnings=tuple(warnings),
    )


def _first(balances: Sequence[Balance], currency: str | None, *kinds: BalanceKind) -> Balance | None:
    """The first balance of the first kind that there is; of several, the one in the account's own currency."""
    for kind in kinds:
        if found := [balance for balance in balances if balance.kind is kind]:
            return next((balance for balance in found if balance.amount.currency.code == currency), found[0])
    return None


def _balance(element: Element, warnings: list[str]) -> Balance:
    code = code_of(element, "Tp", "CdOrPrtry") or ""
    try:
        kind = BalanceKind(code)
    except ValueError:
        kind = BalanceKind.INFORMATION
        warnings.append(f"{quoted(code)} is no balance that is known; it is kept as information")
    money = read_money(find(element, "Amt"))
    return Balance(
        kind=kind,
        amount=Money(_direction(element).sign * money.minor, money.currency),
        on=read_day(find(element, "Dt"), warnings),
    )


def _entry(element: Element, own_iban: str | None, position: str) -> StatementEntry:
    if len(element.findall("Amt")) > 1:
        raise ValueError("there is more than one amount")
    direction, amount = _direction(element), read_money(find(element, "Amt"))
    is_reversal = (text_of(element, "RvslInd") or "false") in _TRUE
    is_pending, warnings = _status(element)
    details = read_details(element, direction, amount, is_reversal=is_reversal, own_iban=own_iban)
    only = details[0] if len(details) == 1 else EntryDetail(direction=direction)
    warnings.extend(_unequal(details, direction, amount))
    transaction = next(element.iter("TxDtls"), None)
    return StatementEntry(
        direction=direction,
        amount=amount,
        booked_on=read_day(find(element, "BookgDt"), warnings),
        value_on=read_day(find(element, "ValDt"), warnings),
        position=position,
        is_pending=is_pending,
        is_reversal=is_reversal,
        bank_id=name_of(element, "AcctSvcrRef") or only.bank_id,
        reference=name_of(element, "NtryRef") or only.end_to_end_id or name_of(element, "NtryDtls", "Btch", "PmtInfId"),
        code=_code(find(element, "BkTxCd")) or _code(find(transaction, "BkTxCd")),
        text=only.text or text_of(element, "AddtlNtryInf") or "",
        counterparty=only.counterparty,
        counterparty_account=only.counterparty_account,
        details=details,
        warnings=tuple(warnings),
    )


def _direction(element: Element) -> Direction:
    written = needed_text(element, "CdtDbtInd")
    if (found := _DIRECTIONS.get(written)) is None:
        raise ValueError(f"{quoted(written)} is neither CRDT nor DBIT")
    return found


def _status(element: Element) -> tuple[bool, list[str]]:
    """Whether the entry is not booked, and what has to be said of that."""
    if (status := code_of(element, "Sts")) is None:
        raise ValueError("there is no status (Sts)")
    if status == "BOOK":
        return False, []
    unknown = (f"the status {quoted(status)} is not known; it is taken for not booked",)
    return True, list(_NOT_BOOKED.get(status, unknown))


def _unequal(details: Sequence[EntryDetail], direction: Direction, amount: Money) -> Iterator[str]:
    """Say so when a batch is not the sum of its transactions, where all have amounts in its currency."""
    amounts = [each.amount for each in details if each.amount is not None and each.amount.currency == amount.currency]
    if len(details) > 1 and len(amounts) == len(details):
        total = sum(detail.direction.sign * each.minor for detail, each in zip(details, amounts, strict=True))
        if total != direction.sign * amount.minor:
            yield "the transactions of the batch do not add up to its amount"


def _code(element: Element | None) -> str | None:
    """The code of the standard as `PMNT-RCDT-ESCT`, or the bank's own."""
    domain = find(element, "Domn")
    family = find(domain, "Fmly")
    codes = [text_of(domain, "Cd"), text_of(family, "Cd"), text_of(family, "SubFmlyCd")]
    return "-".join(code for code in codes if code) or text_of(element, "Prtry", "Cd")


@contextmanager
def _placed(position: str) -> Iterator[None]:
    """Say of what cannot be read in an element where the element stands."""
    try:
        yield
    except ValueError as error:
        raise malformed(CAMT, position, str(error)) from error
