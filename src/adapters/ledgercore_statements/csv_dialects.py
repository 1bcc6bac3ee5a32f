"""How banks write their CSV files, as data; who has another bank's file declares a dialect of their own."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import fields_dict, frozen

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import INVALID_ARGUMENT
from ledgercore_statements.amounts import read_currency
from ledgercore_statements.dates import date_pattern

_ENCODINGS: Final = frozenset(
    (
        *("ascii", "utf-8", "utf-8-sig", "utf-16", "latin-1", "iso-8859-1", "iso-8859-2", "iso-8859-9", "iso-8859-15"),
        *("cp437", "cp850", "cp852", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1257", "mac-roman"),
    )
)


@frozen(kw_only=True)
class Dialect:
    """What has to be known to read a bank's CSV file.

    Columns are named as the file's header names them; `Name#2` is the second column of that name. Either
    `amount` holds signed amounts, or `debit` and `credit` hold what lowers and raises the account. With
    `direction`, the column whose `debit_words` tell what lowers it, amounts have no sign of their own.

    `charges_are_positive` turns the signs of a credit card's file round; `debits_are_negative` says that the
    debit column carries a minus sign; a `fee` is taken off the amount. The counterparty is the `payer` of what
    comes in and the `payee` of what goes out where the file has both. Rows whose `status` is one of the
    `pending_words` are not booked yet, those with `ignored_words` never will be. A row that begins with one of
    `footers` is no entry.
    """

    name: str
    booked_on: str
    value_on: str | None = None
    amount: str | None = None
    fee: str | None = None
    debit: str | None = None
    credit: str | None = None
    direction: str | None = None
    debit_words: tuple[str, ...] = ()
    charges_are_positive: bool = False
    debits_are_negative: bool = False
    currency: str | None = None
    currency_column: str | None = None
    text: tuple[str, ...] = ()
    counterparty: str | None = None
    payer: str | None = None
    payee: str | None = None
    counterparty_account: str | None = None
    account: str | None = None
    reference: str | None = None
    bank_id: str | None = None
    code: str | None = None
    status: str | None = None
    pending_words: tuple[str, ...] = ()
    ignored_words: tuple[str, ...] = ()
    footers: tuple[str, ...] = ()
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    quote: str = '"'
    decimal: str = "."
    thousands: str = ""
    date_format: str = "%Y-%m-%d"
    lines_before_header: int = 0

    def __attrs_post_init__(self) -> None:
        """Raise `ValidationError` (`invalid_argument`) that names the field of a dialect that cannot be."""
        for field, why in _faults_in(self):
            raise ValidationError(INVALID_ARGUMENT, field=field, value=shortened(getattr(self, field)), why=why)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a file has to have."""
        named = (
            *(self.booked_on, self.value_on, self.amount, self.fee, self.debit, self.credit, self.direction),
            *(self.currency_column, *self.text, self.counterparty, self.payer, self.payee),
            *(self.counterparty_account, self.account, self.reference, self.bank_id, self.code, self.status),
        )
        return tuple(column for column in named if column is not None)


def read_dialect(document: bytes) -> Dialect:
    """Read a dialect that a user declared, as JSON or TOML with the names of `Dialect`.

    Raises `ValidationError` (`invalid_argument`) that names the member and says what it may be.
    """
    declared = _document(document)
    known = fields_dict(Dialect)
    if unknown := sorted(set(declared) - set(known)):
        raise _refused(unknown[0], declared[unknown[0]], f"a dialect has {', '.join(known)}")
    for required in ("name", "booked_on"):
        if required not in declared:
            raise _refused(required, None, "it is required")
    return Dialect(**{name: _member(name, known[name].type, value) for name, value in declared.items()})


def _document(document: bytes) -> Mapping[str, Any]:
    try:
        text = document.decode("utf-8-sig")
        read = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused("dialect", document[:60], f"neither JSON nor TOML: {error}") from error
    assert isinstance(read, Mapping), "a text that begins with a brace is an object, and TOML always a table"
    return read


def _member(name: str, declared_type: Any, value: Any) -> Any:
    if declared_type == tuple[str, ...]:
        texts = [value] if isinstance(value, str) else value
        if isinstance(texts, list) and all(isinstance(text, str) for text in texts):
            return tuple(texts)
        raise _refused(name, value, "a text or a list of texts")
    for plain, words in ((bool, "true or false"), (int, "a whole number")):
        if declared_type is plain:
            if type(value) is plain:
                return value
            raise _refused(name, value, words)
    if isinstance(value, str):
        return value
    raise _refused(name, value, "a text")


def _refused(field: str, value: object, why: str) -> ValidationError:
    return ValidationError(INVALID_ARGUMENT, field=field, value=shortened(value), why=why)


def _faults_in(dialect: Dialect) -> Iterator[tuple[str, str]]:
    if not dialect.name:
        yield "name", "a dialect has a name"
    if (dialect.amount is None) == (dialect.debit is None or dialect.credit is None):
        yield "amount", "either `amount`, or `debit` and `credit` name the columns of the amounts"
    if (dialect.currency is None) == (dialect.currency_column is None):
        yield "currency", "either `currency` or `currency_column` is given"
    if dialect.direction is not None and (dialect.amount is None or not dialect.debit_words):
        yield "direction", "it goes with `amount` and `debit_words`"
    if dialect.status is None and (dialect.pending_words or dialect.ignored_words):
        yield "status", "the column that holds `pending_words` and `ignored_words`"
    if dialect.encoding.lower() not in _ENCODINGS:
        yield "encoding", f"one of {', '.join(sorted(_ENCODINGS))}"
    for name in ("delimiter", "quote", "decimal"):
        if len(getattr(dialect, name)) != 1 or getattr(dialect, name) in "\r\n":
            yield name, "one character"
    if dialect.delimiter == dialect.quote:
        yield "quote", "another character than the delimiter"
    if len(dialect.thousands) > 1 or dialect.thousands == dialect.decimal:
        yield "thousands", "nothing, or one character other than `decimal`"
    if not 0 <= dialect.lines_before_header <= 1_000:
        yield "lines_before_header", "0 to 1000"
    yield from _unreadable(dialect)


def _unreadable(dialect: Dialect) -> Iterator[tuple[str, str]]:
    try:
        date_pattern(dialect.date_format)
    except ValueError as error:
        yield "date_format", str(error)
    try:
        if dialect.currency is not None:
            read_currency(dialect.currency)
    except ValueError as error:
        yield "currency", str(error)
