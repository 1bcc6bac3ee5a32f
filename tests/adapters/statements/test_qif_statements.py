"""QIF: what the file leaves open is found in it, or said by the caller, and never guessed."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledgercore.errors import ValidationError
from ledgercore.statements.statements import BalanceKind, Direction, StatementEntry
from ledgercore_statements.qif import read_qif


def entries_of(
    *records: str, is_day_first: bool | None = None, decimal: str | None = None
) -> tuple[StatementEntry, ...]:
    text = "!Type:Bank\n" + "".join(f"{record}\n^\n" for record in records)
    [statement] = read_qif(text.encode(), currency="EUR", is_day_first=is_day_first, decimal=decimal)
    return statement.entries


def refusal_of(text: str) -> ValidationError:
    with pytest.raises(ValidationError) as refused:
        read_qif(text.encode(), currency="EUR")
    assert refused.value.code == "malformed_statement"
    return refused.value


def test_signed_amounts_lower_and_raise_the_account() -> None:
    shop, pay = entries_of(
        "D31/01/2024\nT-1,234.50\nPShop\nN101\nMFood\nLGroceries", "D01/02/2024\nU2000\nT2000\nPBoss\nCX\nAStreet"
    )

    assert (shop.direction, shop.amount.minor, shop.booked_on) == (Direction.DEBIT, 123_450, date(2024, 1, 31))
    assert (shop.counterparty, shop.text, shop.reference, shop.code) == ("Shop", "Food", "101", "Groceries")
    assert (pay.signed_minor, pay.booked_on, pay.text) == (200_000, date(2024, 2, 1), "Boss")
    assert (shop.position, pay.position) == ("line 2", "line 9")


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (["1/31/2024", "2/1/2024"], date(2024, 2, 1)),
        (["31.01.24", "1.2.24"], date(2024, 2, 1)),
        (["12/31'03", " 1/ 2' 4"], date(2004, 1, 2)),
        (["12-31-99", "1-2-98"], date(1998, 1, 2)),
        (["2024-01-02"], date(2024, 1, 2)),
        (["3/3/2024"], date(2024, 3, 3)),
    ],
)
def test_the_dates_of_a_file_show_their_order(dates: list[str], expected: date) -> None:
    entries = entries_of(*(f"D{written}\nT1" for written in dates))

    assert entries[-1].booked_on == expected


def test_dates_that_can_be_read_both_ways_are_refused_unless_the_caller_says() -> None:
    refused = refusal_of("!Type:Bank\nD1/2/2024\nT1\n^\nD3/3/2024\nT1\n^\n")

    assert refused.details["position"] == "line 2"
    assert "which of day and month comes first" in str(refused.details["why"])
    assert entries_of("D1/2/2024\nT1", is_day_first=True)[0].booked_on == date(2024, 2, 1)
    assert entries_of("D1/2/2024\nT1", is_day_first=False)[0].booked_on == date(2024, 1, 2)


def test_an_impossible_date_is_kept_as_a_warning() -> None:
    [entry] = entries_of("D30/02/2024\nT1")

    assert entry.booked_on is None
    assert entry.warnings == ("'30/02/2024' is no date of the calendar",)


@pytest.mark.parametrize(
    ("amounts", "minor"), [(["1.234,50", "1,5"], 150), (["1,234", "0.50"], 50), (["7", "-7"], -700)]
)
def test_the_amounts_of_a_file_show_their_decimal_sign(amounts: list[str], minor: int) -> None:
    assert entries_of(*(f"D2024-01-01\nT{written}" for written in amounts))[-1].signed_minor == minor


def test_amounts_that_can_be_read_both_ways_are_refused_unless_the_caller_says() -> None:
    refused = refusal_of("!Type:Bank\nD2024-01-01\nT12\n^\nD2024-01-01\nT1,230\n^\n")

    assert refused.details["position"] == "line 6"
    assert entries_of("D2024-01-01\nT1,230", decimal=".")[0].amount.minor == 123_000
    assert entries_of("D2024-01-01\nT1,230", decimal=",")[0].amount.minor == 123


def test_splits_are_details_and_have_to_add_up() -> None:
    fitting, wrong = entries_of(
        "D2024-01-01\nT-10.00\nSFood\nEBread\n$-7.50\nSBank\n$-2.50", "D2024-01-02\nT-10.00\nSFood\n$-7.50"
    )

    assert [(part.direction, part.amount and part.amount.minor, part.text) for part in fitting.details] == [
        (Direction.DEBIT, 750, "Food Bread"),
        (Direction.DEBIT, 250, "Bank"),
    ]
    assert fitting.warnings == ()
    assert wrong.warnings == ("the splits do not add up to the amount",)


def test_each_account_of_a_file_is_a_statement() -> None:
    """Lists of accounts and categories hold no entries; an account may state a balance."""
    read = read_qif(
        b"!Option:AutoSwitch\n!Account\nNCheque\nTBank\n$120.50\n/31/01/2024\n^\nNCard\nTCCard\n^\n!Clear:AutoSwitch\n"
        b"!Type:Cat\nNFood\nE\n^\n"
        b"!Account\nNCheque\nTBank\n$120.50\n/31/01/2024\n^\n!Type:Bank \nD30/01/2024\nT1\n^\n"
        b"!Account\nNCard\nTCCard\n^\n!Type:CCard\n\nD30/01/2024\nT-2\n^\n^\n",
        currency="GBP",
    )

    assert [(found.account, found.currency, len(found.entries)) for found in read] == [
        ("Cheque", "GBP", 1),
        ("Card", "GBP", 1),
    ]
    closing = read[0].closing
    assert closing is not None
    assert (closing.kind, closing.amount.minor, closing.on) == (BalanceKind.CLOSING, 12_050, date(2024, 1, 31))
    assert (read[0].opening, read[0].difference, read[1].closing) == (None, None, None)


@pytest.mark.parametrize(
    ("told", "field"),
    [({}, "currency"), ({"currency": "XQQ"}, "currency"), ({"currency": "EUR", "decimal": ";"}, "decimal")],
)
def test_what_the_caller_says_has_to_make_sense(told: dict[str, str], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read_qif(b"!Type:Bank\n", currency=told.get("currency"), decimal=told.get("decimal"))

    assert (refused.value.code, refused.value.details["field"]) == ("invalid_argument", field)


@pytest.mark.parametrize(
    ("text", "position", "why"),
    [
        ("D2024-01-01\nT1\n^\n", "line 1", "begins with a header"),
        ("!Type:Invst\nD2024-01-01\n^\n", "line 1", "holds no entries"),
        ("!Type:Bank\nD2024-01-01\nT1\n", "line 4", "ends within a record"),
        ("!Type:Bank\nD2024-01-01\n!Type:Cash\n", "line 3", "before the record above it has ended"),
        ("!Type:Bank\nT1\n^\n", "line 2", "without a date"),
        ("!Type:Bank\nD2024-01-01\n^\n", "line 2", "without an amount"),
        ("!Type:Bank\nD2024-01-01\nTx\n^\n", "line 3", "no amount of EUR"),
        ("!Type:Bank\nD2024-01-01\nT1\nSa\n$x\n^\n", "line 5", "no amount of EUR"),
        ("!Type:Bank\nD1 March\nT1\n^\n", "line 2", "is no date"),
        ("!Type:Bank\nD13/12/2024\nT1\n^\nD12/13/2024\nT1\n^\n", "line 5", "has no month 13"),
        ("!Account\nNx\n$1.x\n^\n!Type:Bank\n", "line 3", "no amount of EUR"),
    ],
)
def test_a_malformed_file_is_refused_with_the_line(text: str, position: str, why: str) -> None:
    refused = refusal_of(text)

    assert refused.details["position"] == position
    assert why in str(refused.details["why"])


VALID = (
    b"!Account\nNMain\n$5\n/1/31'24\n^\n!Type:Bank\n"
    b"D1/31'24\nT-1,234.50\nPShop\nSFood\n$-1,234.50\n^\nD1/ 2'24\nT5\n^\n"
)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    damaged = bytearray(VALID)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))

    try:
        entries = [entry for statement in read_qif(bytes(damaged), currency="EUR") for entry in statement.entries]
    except ValidationError as refused:
        outcome = (refused.code, str(refused.details["position"]).startswith("line "))
    else:
        outcome = ("malformed_statement", all(entry.amount.minor >= 0 for entry in entries))

    assert outcome == ("malformed_statement", True)
