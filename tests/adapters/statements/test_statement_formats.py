"""The door: what a file is, by its content; what is not known is refused by name."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledgercore.errors import ValidationError
from ledgercore_statements import reading
from ledgercore_statements.csv_banks import DIALECTS
from ledgercore_statements.csv_dialects import Dialect
from ledgercore_statements.reading import FORMATS, find_format, read_statements

MT940 = b":20:R\n:25:ACC\n:28C:1\n:60F:C240101EUR1,\n:61:240101C1,NMSC\n:62F:C240101EUR2,\n-\n"
MT942 = b":20:R\n:25:ACC\n:28C:1\n:34F:EUR0,\n:13D:2401011200+0100\n:61:240101C1,NMSC\n-\n"
QIF = b"!Type:Bank\nD2024-01-31\nT1\n^\n"
ING_AT = "IBAN;Text;Valutadatum;Währung;Soll;Haben\nAT1;x;31.12.2023;EUR;3,10;0,00\n".encode("cp1252")
CAMT = b'<?xml version="1.0"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"/>'
PAIN = b'<?xml version="1.0"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"/>'
OFX_1 = b"OFXHEADER:100\nDATA:OFXSGML\n\n<OFX></OFX>"
OFX_2 = b'<?xml version="1.0"?>\n<?OFX OFXHEADER="200" VERSION="211"?>\n<OFX></OFX>'


@pytest.mark.parametrize(("format", "month"), [("qif-dmy", 2), ("qif-mdy", 1)])
def test_a_format_says_how_dates_are_read_that_can_be_read_both_ways(format, month):
    [statement] = read_statements(b"!Type:Bank\nD01/02/2024\nT1\n^\n", format=format, currency="EUR")

    assert statement.entries[0].booked_on == date(2024, month, 3 - month)


def refusal_of(data: bytes, **options: Any) -> ValidationError:
    with pytest.raises(ValidationError) as refused:
        read_statements(data, **options)
    return refused.value


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (MT940, "mt940"),
        (b"\r\nABNANL2A\r\n940\r\n" + MT940, "mt940"),
        (b"{1:F01BANK}{2:I940BANK}{4:\r\n" + MT940, "mt940"),
        (MT942, "mt942"),
        (QIF, "qif"),
        (b"\xef\xbb\xbf\n!account\nNx\n", "qif"),
        (CAMT, "camt"),
        (CAMT.decode().encode("utf-16"), "camt"),
        (b"<ns2:Document><ns2:BkToCstmrDbtCdtNtfctn/></ns2:Document>", "camt"),
        (OFX_1, "ofx"),
        (b"\xef\xbb\xbf" + OFX_2, "ofx"),
        (b"<OFX><SIGNONMSGSRSV1>", "ofx"),
        (ING_AT, "csv"),
        (PAIN, None),
        (b"", None),
        (b"Date;Amount\n", None),
        (bytes(range(256)), None),
    ],
)
def test_the_content_tells_the_format(data: bytes, expected: str | None) -> None:
    assert find_format(data) == expected


@pytest.mark.parametrize(
    ("data", "expected"), [(MT940, "mt940"), (MT942, "mt942"), (QIF, "qif"), (ING_AT, "csv:ing-at")]
)
def test_a_file_is_read_as_what_it_is(data: bytes, expected: str) -> None:
    [statement] = read_statements(data, currency="EUR")

    assert (statement.format, len(statement.entries)) == (expected, 1)


def test_a_named_format_is_not_looked_for() -> None:
    [statement] = read_statements(MT942, format="MT940")
    refused = refusal_of(MT940, format="qif", currency="EUR")

    assert statement.format == "mt942"
    assert (refused.code, refused.details["format"]) == ("malformed_statement", "qif")


def test_a_dialect_is_named_or_declared() -> None:
    own = Dialect(name="own", booked_on="Date", amount="Amount", currency="EUR")

    [declared] = read_statements(b"Date,Amount\n2024-01-31,1\n", dialect=own)
    [named] = read_statements(ING_AT, dialect="ing-at")

    assert (declared.format, named.format) == ("csv:own", "csv:ing-at")


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (PAIN, {}),
        (b"Date;Amount\n", {}),
        (b"Date;Amount\n", {"format": "csv"}),
        (ING_AT, {"dialect": "no-bank"}),
        (MT940, {"format": "mt950"}),
    ],
)
def test_what_is_not_known_is_refused_with_what_is(data: bytes, options: dict[str, str]) -> None:
    refused = refusal_of(data, **options)

    assert refused.code == "unknown_statement_format"
    assert refused.details["formats"] == list(FORMATS)
    assert refused.details["dialects"] == list(DIALECTS)


def test_a_file_that_is_too_large_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FILE_BYTES_MAX", len(MT940) - 1)

    refused = refusal_of(MT940)

    assert (refused.code, refused.details["position"]) == ("malformed_statement", f"byte {len(MT940)}")


@settings(max_examples=200, deadline=None)
@given(data=st.one_of(st.binary(max_size=200), st.text(alphabet=":2056F1!TD^;,\n<>OFX ", max_size=60).map(str.encode)))
def test_any_bytes_are_read_or_refused_and_nothing_else(data: bytes) -> None:
    try:
        read_statements(data, currency="EUR")
    except ValidationError as refused:
        code = refused.code
    else:
        code = "read"

    assert code in ("read", "malformed_statement", "unknown_statement_format")
