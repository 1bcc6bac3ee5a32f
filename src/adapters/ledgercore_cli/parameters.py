"""Reading arguments and options; what is wrong is told by a catalogued reason that names it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import IO, Any, TypeVar
from uuid import UUID

import click

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import INVALID_ARGUMENT, INVALID_ENCODING
from ledgercore.ledger.accounts import BALANCE_MINOR_MAX
from ledgercore.ledger.commands import identity_of_key
from ledgercore.ledger.documents import id_from, lines_from, parse_json
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.texts import check_key, parse_moment
from ledgercore.ledger.transactions import Line
from ledgercore.money import ISO, Currencies, Currency, Money, parse_amount, parse_positive_amount

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Moment(click.ParamType[datetime]):
    """An ISO 8601 time with offset."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """See click."""
        return parse_moment(value, field=_field(param))


class Id(click.ParamType[UUID]):
    """A UUID, or `key:` and the text key that named the command."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> UUID:
        """See click."""
        if isinstance(value, str) and value.startswith("key:"):
            key = check_key(value.removeprefix("key:"))
            assert key is not None
            return UUID(bytes=identity_of_key(key))
        found = id_from(value, field=_field(param))
        assert found is not None
        return found


MOMENT = Moment()
ID = Id()
TEXT_FILE = click.File("rb")


def naming_options(command: _Command) -> _Command:
    """`--id` and `--key`: the name by which a repeat of the command is known."""
    id_option = click.option("--id", "id_", type=ID, metavar="UUID", help="Names the intent: a repeat changes nothing.")
    key_option = click.option("--key", metavar="TEXT", help="The same as text of your choice; give one of both.")
    return id_option(key_option(command))


def paging_options(command: _Command) -> _Command:
    """`--limit` and `--cursor`."""
    limit = click.option("--limit", type=int, default=50, show_default=True, help="At most so many, up to 1,000.")
    cursor = click.option("--cursor", metavar="CURSOR", help="Continue after the page that gave this cursor.")
    return limit(cursor(command))


def time_options(command: _Command) -> _Command:
    """`--effective-at` and `--recorded-at`: a point on both time axes."""
    effective = click.option("--effective-at", type=MOMENT, help="Count what was effective by then.")
    recorded = click.option("--recorded-at", type=MOMENT, help="Count only what had been recorded by then.")
    return effective(recorded(command))


def currencies_of(ledger: Ledger) -> Currencies:
    """ISO 4217 and the ledger's own assets."""
    return ledger.state().settings.currencies(ISO)


def money(text: str, code: str, currencies: Currencies) -> Money:
    """An amount above zero in a currency."""
    currency = currencies.get(code)
    return Money(parse_positive_amount(text, currency), currency)


def signed_minor(text: str, currency: Currency, *, field: str) -> int:
    """An amount that may be negative, such as a limit or an expected balance."""
    minor = parse_amount(text.removeprefix("-"), currency, field=field)
    return -minor if text.startswith("-") else minor


def whole(text: str, *, field: str) -> int:
    """A whole number of at most 38 digits."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()) or int(digits[:39]) > BALANCE_MINOR_MAX:
        raise ValidationError(INVALID_ARGUMENT, field=field, value=text[:60], why="a whole number is expected")
    return int(text)


def pairs(texts: Iterable[str], *, field: str) -> Mapping[str, str]:
    """`NAME=VALUE` options; raises `invalid_argument` for one without `=` or a name given twice."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or name in found:
            why = "NAME=VALUE is expected" if not equals or not name else "the name is given twice"
            raise ValidationError(INVALID_ARGUMENT, field=field, value=text[:60], why=why)
        found[name] = value
    return found


def metadata(texts: Iterable[str]) -> Mapping[str, str] | None:
    """`--metadata NAME=VALUE` options as an object of texts."""
    return pairs(texts, field="metadata") or None


def document(file: IO[bytes]) -> Any:
    """The JSON document in a file."""
    return parse_json(text(file.read(), field=file.name), field=file.name)


def lines(file: IO[bytes] | None, currencies: Currencies) -> tuple[Line, ...]:
    """The lines in a file: an array, or the `lines` of an object."""
    if file is None:
        return ()
    found = document(file)
    return lines_from(found["lines"] if isinstance(found, dict) and "lines" in found else found, currencies)


def text(data: bytes, *, field: str) -> str:
    """UTF-8 text, with or without a byte order mark."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValidationError(INVALID_ENCODING, field=field, byte=error.start, why=error.reason) from error


def _field(param: click.Parameter | None) -> str:
    return "value" if param is None or param.name is None else param.name.rstrip("_")
