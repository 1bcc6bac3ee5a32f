"""Typed documents become commands, and each fault is named by its place."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from ledgercore.errors import LedgercoreError
from ledgercore.ledger.accounts import AccountStatus, AccountType, Limits, Opening
from ledgercore.ledger.command_documents import command_from, settings_document, settings_from
from ledgercore.ledger.commands import ChangeAccount, ClosePeriod, Group, OpenAccount, Reversal, Settings
from ledgercore.ledger.holds import (
    Capture,
    CaptureGroup,
    ChangeHold,
    PlaceHold,
    ReplaceHold,
    VoidGroup,
    VoidHold,
)
from ledgercore.ledger.transactions import Line, transfer
from ledgercore.money import ISO, Currency, Money, currency

ID = UUID("01970000-0000-7000-8000-000000000007")
NOON = "2026-03-01T13:00:00+01:00"
AT_NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINE = {"debit": "assets:bank", "credit": "income:sales", "amount": "12.30", "currency": "EUR"}
AMOUNT = Money.of("12.30", "EUR")
LINES = [Line(AMOUNT, "assets:bank", "income:sales")]
PART = {"amount": "12.30", "currency": "EUR"}
TRANSFER = transfer(debit="assets:bank", credit="income:sales", amount=AMOUNT)

COMMANDS: list[tuple[dict[str, Any], Any]] = [
    ({"lines": [LINE]}, TRANSFER),
    ({"type": None, "lines": [LINE]}, TRANSFER),
    ({"type": "transaction", "lines": [LINE], "key": "k"}, transfer(debit="assets:bank", credit="income:sales", amount=AMOUNT, key="k")),  # noqa: E501
    ({"type": "reversal", "transaction": str(ID)}, Reversal(transaction=ID)),
    (
        {"type": "reversal", "transaction": str(ID), **PART, "effective_at": NOON, "description": "d", "id": str(ID)},
        Reversal(transaction=ID, amount=AMOUNT, effective_at=AT_NOON, description="d", id=ID),
    ),
    ({"type": "reversal", "transaction": str(ID), "lines": [LINE]}, Reversal(transaction=ID, lines=LINES)),
    ({"type": "hold", "lines": [LINE], "group": "g"}, PlaceHold(lines=LINES, group="g")),
    ({"type": "hold_change", "hold": str(ID), **PART}, ChangeHold(hold=ID, amount=AMOUNT)),
    ({"type": "capture", "hold": str(ID), "key": "k"}, Capture(hold=ID, key="k")),
    (
        {"type": "capture", "hold": str(ID), "lines": [LINE], "final": True, "effective_at": NOON},
        Capture(hold=ID, lines=LINES, final=True, effective_at=AT_NOON),
    ),
    ({"type": "void", "hold": str(ID)}, VoidHold(hold=ID)),
    ({"type": "hold_replacement", "hold": str(ID), "expires_at": NOON}, ReplaceHold(hold=ID, expires_at=AT_NOON)),
    ({"type": "group_capture", "group": "g"}, CaptureGroup(group="g")),
    ({"type": "group_void", "group": "g", "key": "k"}, VoidGroup(group="g", key="k")),
    ({"type": "account", "account": "a:b", "currency": "EUR"}, OpenAccount(path="a:b", currency=currency("EUR"))),
    (
        {
            "type": "account", "account": "a:b", "currency": "EUR", "account_type": "asset",
            "limits": {"minimum_minor": "-5", "maximum_minor": 7}, "metadata": {"a": 1},
        },
        OpenAccount(
            path="a:b", currency=currency("EUR"), type=AccountType.ASSET, limits=Limits(-5, 7), metadata={"a": 1}
        ),
    ),
    (
        {"type": "account_change", "account": "a:b", "status": "frozen"},
        ChangeAccount(path="a:b", status=AccountStatus.FROZEN),
    ),
    ({"type": "account_change", "account": "a:b", "limits": {}}, ChangeAccount(path="a:b", limits=Limits())),
    ({"type": "period_close", "through": NOON}, ClosePeriod(through=AT_NOON)),
    ({"group": [{"lines": [LINE]}, {"type": "void", "hold": str(ID)}]}, Group([TRANSFER, VoidHold(hold=ID)])),
]  # fmt: skip


@pytest.mark.parametrize(("document", "command"), COMMANDS)
def test_a_typed_document_becomes_its_command(document: dict[str, Any], command: Any):
    found = command_from(document, ISO)

    assert found == command


@pytest.mark.parametrize("document", [document for document, _ in COMMANDS if "group" not in document])
def test_a_field_that_no_command_has_is_refused(document: dict[str, Any]):
    with pytest.raises(LedgercoreError) as caught:
        command_from({**document, "colour": "red"}, ISO)

    assert (caught.value.code, caught.value.details["field"]) == ("unknown_fields", "colour")


@pytest.mark.parametrize(
    ("document", "code", "field"),
    [
        (7, "invalid_argument", "document"),
        ({"type": "gift"}, "invalid_argument", "type"),
        ({"type": []}, "invalid_argument", "type"),
        ({"type": "reversal"}, "missing_fields", "transaction"),
        ({"type": "reversal", "transaction": 7}, "invalid_uuid_format", "transaction"),
        ({"type": "reversal", "transaction": str(ID), "amount": "1"}, "missing_fields", "currency"),
        ({"type": "reversal", "transaction": str(ID), "currency": "EUR"}, "missing_fields", "amount"),
        ({"type": "capture", "hold": str(ID), "amount": 1.5, "currency": "EUR"}, "invalid_amount_format", "amount"),
        ({"type": "capture", "hold": str(ID), "amount": "1", "currency": "EUX"}, "unknown_currency", "currency"),
        ({"type": "capture", "hold": str(ID), "lines": []}, "empty_transaction", "lines"),
        ({"type": "capture", "hold": str(ID), **PART, "lines": [LINE]}, "invalid_capture", "amount"),
        ({"type": "capture", "hold": str(ID), "lines": [{**LINE, "debit": 7}]}, "invalid_account_path", "lines[0].debit"),  # noqa: E501
        ({"type": "capture", "hold": str(ID), "final": "yes"}, "invalid_argument", "final"),
        ({"type": "capture", "hold": str(ID), "id": str(ID), "key": "k"}, "invalid_idempotency_key", "key"),
        ({"type": "hold_change", "hold": str(ID)}, "invalid_capture", "amount"),
        ({"type": "hold_replacement", "hold": str(ID), "expires_at": 7}, "invalid_datetime_format", "expires_at"),
        ({"type": "group_void", "group": ""}, "invalid_reference", "group"),
        ({"type": "group_void", "group": ["g"]}, "invalid_reference", "group"),
        ({"type": "account", "currency": "EUR"}, "missing_fields", "account"),
        ({"type": "account", "account": "a", "currency": 7}, "invalid_currency_format", "currency"),
        ({"type": "account", "account": "a::b", "currency": "EUR"}, "invalid_account_path", "account"),
        ({"type": "account", "account": "a", "currency": "EUR", "account_type": "ASSET"}, "invalid_account_type", "account_type"),  # noqa: E501
        ({"type": "account", "account": "a", "currency": "EUR", "limits": 7}, "invalid_argument", "limits"),
        ({"type": "account", "account": "a", "currency": "EUR", "limits": {"minimum": 7}}, "unknown_fields", "limits.minimum"),  # noqa: E501
        (
            {"type": "account_change", "account": "a", "limits": {"minimum_minor": "1.0"}},
            "invalid_argument", "limits.minimum_minor",
        ),
        ({"type": "account_change", "account": "a", "limits": {"minimum_minor": 10**38}}, "invalid_limits", "limits.minimum_minor"),  # noqa: E501
        ({"type": "account_change", "account": "a", "status": []}, "invalid_status", "status"),
        ({"type": "account_change", "account": "a"}, "invalid_argument", "status"),
        ({"type": "period_close"}, "missing_fields", "through"),
        ({"group": []}, "invalid_argument", "group"),
        ({"group": [{"lines": [LINE]}], "key": "k"}, "unknown_fields", "key"),
        ({"group": [{"lines": [LINE]}, {"lines": [{**LINE, "amount": "x"}]}]}, "invalid_amount_format", "group[1].lines[0].amount"),  # noqa: E501
        ({"group": [{"group": [{"lines": [LINE]}]}]}, "unknown_fields", "group[0].group"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(document: Any, code: str, field: str):
    with pytest.raises(LedgercoreError) as caught:
        command_from(document, ISO)

    assert (caught.value.code, caught.value.details["field"]) == (code, field)


def test_settings_are_read_as_they_are_written():
    settings = Settings(
        opening=Opening(
            on_first_use=True,
            types=(("bank", AccountType.ASSET), ("sales", AccountType.INCOME)),
            limits=(("bank:cash", Limits(0)), ("bank:card", Limits(-500, 10**30))),
        ),
        assets=(Currency("GOLD", 3),),
    )

    document = settings_document(settings)

    assert document["limits"] == {
        "bank:cash": {"minimum_minor": "0"},
        "bank:card": {"minimum_minor": "-500", "maximum_minor": str(10**30)},
    }
    assert settings_from(document) == settings


def test_settings_that_are_left_out_are_the_default():
    assert settings_from({}) == Settings()


def test_assets_that_are_known_stay():
    known = ISO.register("GOLD", 3)

    assert settings_from({"assets": {"PTS": 0}}, known).assets == (Currency("GOLD", 3), Currency("PTS", 0))


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"colour": "red"}, "unknown_fields"),
        ({"on_first_use": 1}, "invalid_argument"),
        ({"types": []}, "invalid_argument"),
        ({"types": {"a": "thing"}}, "invalid_account_type"),
        ({"types": {"a::b": "asset"}}, "invalid_account_path"),
        ({"limits": {"a": 7}}, "invalid_argument"),
        ({"limits": {"a": {"minimum_minor": 2, "maximum_minor": 1}}}, "invalid_limits"),
        ({"assets": {"gold": 3}}, "invalid_asset"),
        ({"assets": {"GOLD": "3"}}, "invalid_asset"),
        ({"assets": {"GOLD": True}}, "invalid_asset"),
        ({"assets": {"PTS": 2}}, "asset_already_registered"),
    ],
)
def test_settings_that_cannot_be_are_refused(document: dict[str, Any], code: str):
    with pytest.raises(LedgercoreError) as caught:
        settings_from(document, ISO.register("PTS", 0))

    assert caught.value.code == code
