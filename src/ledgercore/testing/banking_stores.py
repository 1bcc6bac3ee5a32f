"""The suite for banking in a store: what is kept comes back, and what is unique stays so."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from ledgercore.banking.accounts import AccountStatus, AccountType
from ledgercore.banking.banks import BankStatus, Integration
from ledgercore.banking.findings import DIFFERENCE, Finding, RowSums
from ledgercore.banking.logins import LoginStatus, Run
from ledgercore.banking.observations import RowSeen, RowStatus
from ledgercore.banking.ports import PendingConsent, Store
from ledgercore.banking.rows import BankRow, RowState, Telling, signed_minor
from ledgercore.errors import ConflictError
from ledgercore.money import Money
from ledgercore.statements.statements import Direction
from ledgercore.testing.banking_people import bank, bank_account, branch, stored_account, stored_login
from ledgercore.testing.identity_people import new_id, someone
from ledgercore.testing.ledgers import EUR, MONDAY, LedgerContract

LISTING = UUID(int=77)


class BankStoreContract(LedgerContract):
    """Subclass it, override the fixture `bank_store`, and run pytest."""

    @pytest.fixture
    def bank_store(self) -> Store:
        """Where everything is kept; every adapter says for itself."""
        raise NotImplementedError("override the fixture `bank_store`")

    def test_bank_comes_back_with_its_branches(self, bank_store: Store) -> None:
        """Every field, before and after a change."""
        full = bank(
            integration=Integration.MONZO, api_url="https://a.example", authorize_url="https://b.example",
            token_url="https://c.example", client_id="id", sealed_client_secret=b"\x00sealed", logo_url="http://d.example",
        )  # fmt: skip
        changed = evolve(full, status=BankStatus.INACTIVE, name=f"{full.name} changed")
        first = branch(full, iban=_iban(full.code), swift_code=_bic(full.code), routing_number="021000021")
        second = branch(full)

        with bank_store.begin() as work:
            work.banks.add(full)
            assert work.banks.find(full.id) == full
            work.banks.save(changed)
            work.banks.add_branch(first)
            work.banks.add_branch(second)

        with bank_store.begin() as work:
            assert work.banks.find(full.id) == work.banks.find_by_code(full.code) == changed
            assert list(work.banks.list_branches(full.id)) == [first, second]
            assert work.banks.find_branch(first.id) == first
            assert work.banks.find(new_id()) is None
            assert work.banks.find_branch(new_id()) is None
            before = UUID(int=full.id.int - 1)
            assert work.banks.list_after(before, limit=1) == [changed]

    @pytest.mark.parametrize("name", ["name", "code"])
    def test_bank_has_a_name_and_a_code_of_its_own(self, bank_store: Store, name: str) -> None:
        """The unit of work may go on after the refusal."""
        first = bank()
        second = bank(**{name: getattr(first, name)})
        with bank_store.begin() as work:
            work.banks.add(first)

            with pytest.raises(ConflictError) as caught:
                work.banks.add(second)
            assert work.banks.find(second.id) is None

        assert (caught.value.code, caught.value.details["field"]) == ("bank_already_exists", name)

    @pytest.mark.parametrize("name", ["iban", "swift_code"])
    def test_branch_has_numbers_of_its_own(self, bank_store: Store, name: str) -> None:
        """Branches without are no twins."""
        of = bank()
        numbers = {"iban": _iban(of.code), "swift_code": _bic(of.code)}
        with bank_store.begin() as work:
            work.banks.add(of)
            work.banks.add_branch(branch(of, **{name: numbers[name]}))
            work.banks.add_branch(branch(of))
            work.banks.add_branch(branch(of))

            with pytest.raises(ConflictError) as caught:
                work.banks.add_branch(branch(of, **{name: numbers[name]}))

        assert caught.value.code == "branch_already_exists"

    def test_login_comes_back(self, bank_store: Store) -> None:
        """Every field, its run too."""
        login = stored_login(bank_store)
        run = Run(id=new_id(), started_at=MONDAY, leased_until=MONDAY + timedelta(minutes=2))
        full = evolve(
            login, status=LoginStatus.ERROR, status_reason="consent_expired", sync_frequency_seconds=300,
            sealed_tokens=b"\x00sealed", tokens_version=3, token_expires_at=MONDAY, consent_expires_at=MONDAY,
            last_sync_at=MONDAY, next_sync_at=MONDAY, last_run_at=MONDAY, run=run,
        )  # fmt: skip

        with bank_store.begin() as work:
            work.bank_logins.save(full)

        with bank_store.begin() as work:
            assert work.bank_logins.find(login.id) == full
            assert work.bank_logins.find_same(login.user_id, login.bank_branch_id, login.username) == full
            assert work.bank_logins.find_same(login.user_id, login.bank_branch_id, "nobody") is None
            assert work.bank_logins.find(new_id()) is None
            assert list(work.bank_logins.list_of(login.user_id, after=None, limit=5)) == [full]
            assert list(work.bank_logins.list_of(login.user_id, after=login.id, limit=5)) == []
            assert full in work.bank_logins.list_of(None, after=UUID(int=login.id.int - 1), limit=1)

    def test_due_logins_are_listed_the_longest_due_first(self, bank_store: Store) -> None:
        """Those without a plan are never due."""
        long_ago = MONDAY - timedelta(days=9_000)
        later = stored_login(bank_store, next_sync_at=long_ago + timedelta(seconds=1))
        first = stored_login(bank_store, next_sync_at=long_ago)
        stored_login(bank_store)
        not_yet = stored_login(bank_store, next_sync_at=long_ago + timedelta(days=1))

        with bank_store.begin() as work:
            due = work.bank_logins.list_due(long_ago + timedelta(hours=1), limit=2)
            for login in (later, first, not_yet):
                work.bank_logins.save(evolve(login, next_sync_at=None))

        assert list(due) == [first, later]

    def test_consent_is_taken_once_and_replaced_by_a_later_one(self, bank_store: Store) -> None:
        """A login has at most one on its way."""
        login = stored_login(bank_store)
        first, second = (
            PendingConsent(state_digest=new_id().bytes * 2, bank_login_id=login.id, sealed=b"s", expires_at=MONDAY)
            for _ in range(2)
        )
        with bank_store.begin() as work:
            work.bank_logins.add_consent(first)
            work.bank_logins.add_consent(second)

        with bank_store.begin() as work:
            assert work.bank_logins.take_consent(first.state_digest) is None
            assert work.bank_logins.take_consent(second.state_digest) == second
            assert work.bank_logins.take_consent(second.state_digest) is None

    def test_account_comes_back(self, bank_store: Store) -> None:
        """Every field; found, locked and listed."""
        user = someone()
        with bank_store.begin() as work:
            work.users.add(user)
        account = stored_account(
            bank_store, user=user, account_type=AccountType.CREDIT, credit_limit_minor=10**20, last_four="1234",
            external_account_id="acc_1", iban="GB82WEST12345698765432",
        )  # fmt: skip
        other = stored_account(bank_store, user=user)
        changed = evolve(account, status=AccountStatus.FROZEN, last_sync_at=MONDAY, sync_cursor="x")

        with bank_store.begin() as work:
            work.accounts.save(changed)

        with bank_store.begin() as work:
            assert work.accounts.find(account.id) == changed
            assert list(work.accounts.lock([other.id, new_id(), account.id])) == [changed, other]
            assert list(work.accounts.list_of(user.id)) == [changed, other]
            assert list(work.accounts.list_of(None, login_id=other.user_bank_login_id)) == [other]
            assert work.accounts.find(new_id()) is None

    def test_external_id_is_one_of_a_login(self, bank_store: Store) -> None:
        """Two logins may have the same, as two users have a joint account; one without is no twin."""
        login, other = stored_login(bank_store), stored_login(bank_store)
        with bank_store.begin() as work:
            for at, external_id in ((login, "joint"), (other, "joint"), (login, None), (login, None)):
                work.accounts.add(bank_account(at, external_account_id=external_id))

            with pytest.raises(ConflictError) as caught:
                work.accounts.add(bank_account(login, external_account_id="joint"))

        assert caught.value.code == "account_already_linked"

    def test_rows_come_back_and_are_found(self, bank_store: Store) -> None:
        """By id, by fingerprint only without one, and every pending one."""
        account, other = stored_account(bank_store), stored_account(bank_store)
        named = row(account.id, external_id="tx1", transaction_id=new_id(), note="x")
        unnamed = row(account.id, external_id=None, minor=7, transaction_id=new_id())
        waiting = row(account.id, external_id="tx2", status=RowStatus.PENDING)
        told = evolve(named, history=(Telling(until=MONDAY, seen=waiting.seen),))
        elsewhere = row(other.id, external_id="tx1")
        with bank_store.begin() as work:
            work.bank_rows.save_all([named, unnamed, waiting, elsewhere])
            work.bank_rows.save_all([told])
            work.bank_rows.save_all([])

        with bank_store.begin() as work:
            rows = work.bank_rows
            assert list(rows.find_related(account.id, external_ids=["tx1", "tx9"], fingerprints=[])) == [told, waiting]
            prints = [unnamed.fingerprint, told.fingerprint]
            assert list(rows.find_related(account.id, external_ids=[], fingerprints=prints)) == [unnamed, waiting]
            assert list(rows.list_of(account.id, after=None, limit=2)) == [told, unnamed]
            assert list(rows.list_of(account.id, after=unnamed.id, limit=2)) == [waiting]

    def test_unseen_rows_are_pending_or_without_an_id(self, bank_store: Store) -> None:
        """And created since a time; what the listing told of is seen."""
        account = stored_account(bank_store)
        waiting = row(account.id, external_id="a", status=RowStatus.PENDING)
        unnamed = row(account.id, external_id=None)
        others = [
            row(account.id, external_id="b"),
            row(account.id, external_id=None, minor=3, status=RowStatus.DECLINED),
            row(account.id, external_id="c", status=RowStatus.PENDING, created_at=MONDAY - timedelta(days=1)),
            evolve(row(account.id, external_id="d", status=RowStatus.PENDING), listing_id=UUID(int=78)),
        ]
        with bank_store.begin() as work:
            work.bank_rows.save_all([waiting, unnamed, *others])

            found = work.bank_rows.list_unseen(account.id, listing_id=UUID(int=78), since=MONDAY)

        assert list(found) == [waiting, unnamed]

    def test_rows_add_up(self, bank_store: Store) -> None:
        """Those with postings, those that are payments, those pending."""
        account = stored_account(bank_store)
        payment_id = new_id()
        linked = row(account.id, external_id="b", minor=30, transaction_id=new_id(), payment_id=payment_id)
        rows = [
            row(account.id, external_id="a", minor=100, transaction_id=new_id()),
            linked,
            row(account.id, external_id="c", minor=5, status=RowStatus.PENDING),
            row(account.id, external_id="d", minor=9, status=RowStatus.DECLINED),
        ]
        with bank_store.begin() as work:
            nothing = work.bank_rows.sums(account.id)
            work.bank_rows.save_all(rows)

            sums = work.bank_rows.sums(account.id)
            assert list(work.bank_rows.find_linked([payment_id, new_id()])) == [linked]

        assert nothing == RowSums()
        assert sums == RowSums(posted=-100, linked=-30, pending=-5, first_at=MONDAY)

    def test_findings_come_back_newest_first(self, bank_store: Store) -> None:
        """The difference that is open is found until it is resolved."""
        account = stored_account(bank_store)
        first, second = (
            Finding(id=new_id(), account_id=account.id, kind=kind, details={"a": "1"}, found_at=MONDAY, seen_at=MONDAY)
            for kind in (DIFFERENCE, "ambiguous_row")
        )
        resolved = evolve(first, resolved_at=MONDAY, details={"a": "2"})
        with bank_store.begin() as work:
            work.findings.add_all([first, second])
            work.findings.add_all([])
            assert work.findings.find_difference(account.id) == first
            work.findings.save(resolved)
            assert work.findings.find_difference(account.id) is None

        with bank_store.begin() as work:
            assert list(work.findings.list_before(account.id, before=None, limit=5)) == [second, resolved]
            assert list(work.findings.list_before(account.id, before=second.id, limit=5)) == [resolved]


def row(
    account_id: UUID,
    *,
    external_id: str | None,
    minor: int = 100,
    status: RowStatus = RowStatus.BOOKED,
    created_at: Any = MONDAY,
    **fields: Any,
) -> BankRow:
    """A debit that a bank told of on Monday and that is not stored yet."""
    seen = RowSeen(
        external_id=external_id,
        status=status,
        direction=Direction.DEBIT,
        money=Money(minor, EUR),
        description="Bäckerei 😀",
        created_at=created_at,
        references=("e2e",),
    )
    return BankRow(
        id=new_id(),
        account_id=account_id,
        seen=seen,
        state=RowState(status),
        signed_minor=signed_minor(seen, "EUR"),
        listing_id=LISTING,
        first_seen_at=MONDAY,
        changed_at=MONDAY,
        **fields,
    )


def _iban(code: str) -> str:
    return f"GB00BANK{code[-6:]}"


def _bic(code: str) -> str:
    letters = "".join(chr(ord("A") + int(digit)) for digit in code[-6:])
    return f"{letters}AAXXX"
