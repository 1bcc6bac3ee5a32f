"""Policies, normalisers, values and comparisons of banking, from values alone."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from ledgercore.banking.accounts import AccountStatus, AccountType
from ledgercore.banking.findings import Comparison, RowSums
from ledgercore.banking.ledger_accounts import bank_path, limits_of, payments_path
from ledgercore.banking.listings import HISTORY, OVERLAP, Position, position_from, since_of
from ledgercore.banking.logins import LoginStatus
from ledgercore.banking.normalizers import bank_account_attrs, bank_account_update_attrs
from ledgercore.banking.observations import Tokens
from ledgercore.banking.policies import (
    can_create_bank_account,
    can_list_bank_accounts,
    can_set_status,
    can_sync_account,
    can_update_bank_account,
    can_view_account,
)
from ledgercore.clock import EPOCH
from ledgercore.errors import LedgercoreError, ValidationError
from ledgercore.identity.access import Operator
from ledgercore.identity.principals import Principal
from ledgercore.identity.users import Role
from ledgercore.testing.banking_people import bank, bank_account, bank_login, branch
from ledgercore.testing.identity_people import someone
from ledgercore.testing.ledgers import MONDAY

OWNER = someone()
LOGIN = bank_login(OWNER, branch(bank()))


def principal(role: Role = Role.USER, id: UUID = OWNER.id) -> Principal:
    return Principal(user_id=id, email="x@example.com", role=role)


STRANGER = principal(id=someone().id)
SUPPORT, ADMIN = (principal(role, someone().id) for role in (Role.SUPPORT, Role.ADMIN))


class PlainSealer:
    """Seals nothing, but knows contexts."""

    def seal(self, plain: bytes, *, context: str) -> bytes:
        return f"{context}|".encode() + plain

    def open(self, sealed: bytes, *, context: str) -> bytes:
        assert sealed.startswith(f"{context}|".encode())
        return sealed.removeprefix(f"{context}|".encode())


@pytest.mark.parametrize("policy", [can_view_account, can_sync_account, can_list_bank_accounts])
@pytest.mark.parametrize(
    ("by", "may"), [(principal(), True), (STRANGER, False), (SUPPORT, True), (ADMIN, True), (Operator(), True)]
)
def test_owners_support_and_admins_see_accounts(policy: Any, by: Any, may: bool) -> None:
    assert policy(by, OWNER.id) is may


@pytest.mark.parametrize(
    ("by", "names", "may"),
    [
        (principal(), {"account_name"}, True),
        (principal(), {"status"}, True),
        (principal(), {"credit_limit"}, False),
        (principal(), {"account_name", "currency"}, False),
        (STRANGER, {"account_name"}, False),
        (SUPPORT, {"currency"}, True),
        (Operator(), {"currency"}, True),
    ],
)
def test_owners_change_name_and_status_only(by: Any, names: set[str], may: bool) -> None:
    assert can_update_bank_account(by, OWNER.id, names) is may


def test_account_needs_a_user_and_a_login() -> None:
    assert can_create_bank_account(principal(), {"user_bank_login_id": "x"})
    assert not can_create_bank_account(principal(), {})
    assert not can_create_bank_account(Operator(), {"user_bank_login_id": "x"})


@pytest.mark.parametrize(
    ("before", "after", "owner_may"),
    [
        (AccountStatus.ACTIVE, AccountStatus.INACTIVE, True),
        (AccountStatus.ACTIVE, AccountStatus.CLOSED, True),
        (AccountStatus.ACTIVE, AccountStatus.SUSPENDED, False),
        (AccountStatus.FROZEN, AccountStatus.ACTIVE, False),
    ],
)
def test_freezing_is_not_for_owners(before: AccountStatus, after: AccountStatus, owner_may: bool) -> None:
    account = bank_account(LOGIN, status=before)

    assert can_set_status(principal(), account, after) is owner_may
    assert can_set_status(SUPPORT, account, after)


def test_attributes_are_brought_into_one_form() -> None:
    told = {
        "currency": " gbp ", "account_type": "savings", "account_name": "  Trips ", "iban": "gb82 west", "balance": 5,
        1: 2,
    }  # fmt: skip

    assert bank_account_attrs(told) == {
        "currency": "GBP", "account_type": "SAVINGS", "account_name": "Trips", "iban": "GB82WEST", "status": "ACTIVE",
    }  # fmt: skip
    assert bank_account_update_attrs({"status": " frozen", "balance": 1}) == {"status": "FROZEN"}


@pytest.mark.parametrize("nothing", [None, 5, "x", []])
def test_anything_but_a_mapping_is_empty(nothing: object) -> None:
    assert bank_account_attrs(nothing) == {"status": "ACTIVE"}
    assert bank_account_update_attrs(nothing) == {}


def test_values_of_other_types_stay_for_the_checks() -> None:
    told = {"currency": 5, "account_name": "x" * 101, "account_type": None, "iban": 7}

    assert bank_account_attrs(told) == {**told, "status": "ACTIVE"}


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "x"}, {"name": "a\nb"}, {"country": "G"}, {"code": "ab"}, {"api_url": "ftp://x"}, {"api_url": "x"},
        {"logo_url": "http://["}, {"api_url": f"https://{'x' * 2_000}"}, {"client_id": ""}, {"client_id": "a\x00"},
    ],
)  # fmt: skip
def test_bank_that_cannot_be_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        bank(**fields)

    assert caught.value.details["field"] == next(iter(fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"iban": "gb82"},
        {"swift_code": "MONZGB2L"},
        {"routing_number": "12345678"},
        {"name": ""},
        {"country": "England"},
    ],
)
def test_branch_that_cannot_be_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        branch(bank(), **fields)


@pytest.mark.parametrize(
    "fields",
    [{"username": "ab"}, {"username": "a b c"}, {"sync_frequency_seconds": 299}, {"sync_frequency_seconds": 1.5}],
)
def test_login_that_cannot_be_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        bank_login(OWNER, branch(bank()), **fields)


class TestTokens:
    """Sealed for their row, and checked before they are kept."""

    def test_tokens_come_back(self) -> None:
        tokens = Tokens(access_token="a" * 10, refresh_token=None, expires_at=MONDAY, extra={"consent": "c"})

        login = LOGIN.with_tokens(tokens, sealer=PlainSealer(), now=MONDAY - timedelta(hours=1))

        assert login.open_tokens(PlainSealer()) == tokens
        assert (login.status, login.tokens_version, login.token_expires_at) == (LoginStatus.ACTIVE, 1, MONDAY)
        assert login.needs_refresh(MONDAY - timedelta(seconds=120))
        assert not login.needs_refresh(MONDAY - timedelta(seconds=121))
        assert "aaaaaaaaaa" not in repr(login) + repr(tokens)

    @pytest.mark.parametrize(
        "tokens",
        [
            Tokens(access_token="short"),
            Tokens(access_token="a" * 10, refresh_token="short"),
            Tokens(access_token="a" * 10, expires_at=MONDAY),
        ],
    )
    def test_tokens_that_cannot_be_are_refused(self, tokens: Tokens) -> None:
        with pytest.raises(LedgercoreError) as caught:
            LOGIN.with_tokens(tokens, sealer=PlainSealer(), now=MONDAY)

        assert caught.value.code == "bank_api_error"

    def test_login_without_tokens_opens_nothing(self) -> None:
        with pytest.raises(LedgercoreError) as caught:
            LOGIN.open_tokens(PlainSealer())

        assert caught.value.code == "internal_server_error"

    def test_end_of_a_login_drops_its_tokens(self) -> None:
        login = LOGIN.with_tokens(Tokens(access_token="a" * 10), sealer=PlainSealer(), now=MONDAY)

        failed, ended = login.failed("consent_expired", now=MONDAY), login.disconnected(now=MONDAY)

        assert (failed.status, failed.status_reason, failed.sealed_tokens) == (
            LoginStatus.ERROR,
            "consent_expired",
            None,
        )
        assert (ended.status, ended.status_reason, ended.sealed_tokens) == (LoginStatus.INACTIVE, None, None)
        assert (failed.tokens_version, ended.tokens_version) == (1, 2)


class TestListings:
    """From when on to list, and how far that has got."""

    @pytest.mark.parametrize("cursor", [None, "tx 1", "https://bank/next?page=2"])
    def test_position_comes_back_from_its_text(self, cursor: str | None) -> None:
        begun = Position(run_id=UUID(int=1), listing_id=UUID(int=2), since=MONDAY)

        after = evolve(begun, cursor=cursor)

        assert position_from(after.text()) == after
        assert position_from(begun.after_page(None).text()).is_through

    def test_everything_is_listed_at_first(self) -> None:
        account = bank_account(LOGIN)

        assert since_of(account, oldest_pending_at=None, has_difference=False, now=MONDAY) == EPOCH

    @pytest.mark.parametrize(
        ("oldest_pending_at", "has_difference", "expected"),
        [
            (None, False, MONDAY - OVERLAP),
            (MONDAY - timedelta(days=20), False, MONDAY - timedelta(days=20)),
            (MONDAY - timedelta(days=100), False, MONDAY - HISTORY),
            (None, True, MONDAY - HISTORY),
        ],
    )
    def test_a_week_overlaps_or_more(self, oldest_pending_at: Any, has_difference: bool, expected: Any) -> None:
        account = bank_account(LOGIN, last_sync_at=MONDAY)

        since = since_of(account, oldest_pending_at=oldest_pending_at, has_difference=has_difference, now=MONDAY)

        assert since == expected


@pytest.mark.parametrize(
    ("account_type", "credit_limit_minor", "minimum"),
    [(AccountType.CHECKING, 0, 0), (AccountType.CREDIT, 0, 0), (AccountType.CREDIT, 500, -500)],
)
def test_only_credit_accounts_go_below_zero(account_type: AccountType, credit_limit_minor: int, minimum: int) -> None:
    account = bank_account(LOGIN, account_type=account_type, credit_limit_minor=credit_limit_minor)

    assert limits_of(account).minimum == minimum
    assert (bank_path("EUR"), payments_path("EUR")) == ("clearing:bank:EUR", "clearing:payments:EUR")


@pytest.mark.parametrize(
    ("bank_minor", "includes_pending", "ledger", "in_transit", "difference"),
    [
        (150, False, 150, 0, 0),
        (140, True, 150, 0, 0),
        (150, False, 120, -30, 0),
        (151, False, 150, 0, 1),
        (150, True, 150, 0, 10),
    ],
)
def test_difference_is_what_nothing_explains(
    bank_minor: int, includes_pending: bool, ledger: int, in_transit: int, difference: int
) -> None:
    """Opening 100, rows of 60, a payment of ours of 10 that was seen, and 10 on hold at the bank."""
    compared = Comparison(
        bank=bank_minor,
        includes_pending=includes_pending,
        ledger=ledger,
        opening=100,
        sums=RowSums(posted=60, linked=-10, pending=-10),
    )

    assert (compared.in_transit, compared.difference) == (in_transit, difference)
    assert compared.details["difference_minor"] == str(difference)
