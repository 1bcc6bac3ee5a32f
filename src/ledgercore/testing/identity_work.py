"""The suite for units of work: all that is done in one is committed together, or not at all."""

import pytest

from ledgercore.errors import ConflictError, NotFoundError, ValidationError
from ledgercore.identity.audit import OPERATOR, AuditEvent, AuditFilter
from ledgercore.identity.memberships import LedgerAccess
from ledgercore.identity.ports import IdentityStore
from ledgercore.ledger.commands import Settings
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.ports import LedgerStore
from ledgercore.testing.identity_people import IdentityContract, login, machine, member, someone, stored
from ledgercore.testing.ledgers import MONDAY, OPENING, eur, everything, posted


class WorkContract(IdentityContract):
    """Ledgers and identity in one commit."""

    def test_everything_is_committed_together(
        self, identity: IdentityStore, store: LedgerStore, ledger_name: str
    ) -> None:
        """A user, a ledger of theirs, its first transaction and the note of it appear at once."""
        user = someone()
        with identity.begin() as work:
            work.users.add(user)
            made = Ledger(work.ledgers.create(ledger_name, OPENING))
            made.transfer(debit="assets:a", credit="assets:b", amount=eur("5.00"), key="k")
            work.members.grant(member(ledger_name, user, LedgerAccess.OWNER))
            entry = work.audit.append(AuditEvent(action="ledger_created", actor=OPERATOR, target=ledger_name))

        ledger = Ledger(store.journal(ledger_name))
        assert posted(ledger, "assets:a") == "5.00"
        assert ledger.state().settings == OPENING
        with identity.begin() as work:
            assert work.users.find(user.id) == user
            assert work.members.find(ledger_name, user.id) is not None
            wanted = AuditFilter(target=ledger_name)
            assert list(work.audit.list_before(wanted, before=None, limit=2)) == [entry]

    def test_nothing_is_left_of_a_unit_that_failed(
        self, identity: IdentityStore, store: LedgerStore, ledger_name: str
    ) -> None:
        """Whatever was added, changed, taken away or posted."""
        kept_name, gone_name = f"{ledger_name}-kept", f"{ledger_name}-gone"
        ledger = Ledger(store.create(kept_name, OPENING))
        user, newcomer = someone(), someone()
        session, token, membership = login(user), machine(user), member(kept_name, user)
        stored(identity, user, session, token, membership)
        before = everything(ledger.journal)

        def fail() -> None:
            with identity.begin() as work:
                work.users.add(newcomer)
                work.sessions.revoke_all(user.id, now=MONDAY)
                work.tokens.revoke_all(user.id, now=MONDAY)
                work.members.revoke(kept_name, user.id)
                work.ledgers.create(gone_name)
                joined = Ledger(work.ledgers.journal(kept_name))
                joined.transfer(debit="assets:a", credit="assets:b", amount=eur("5.00"), key="k")
                raise LookupError

        with pytest.raises(LookupError):
            fail()

        with identity.begin() as work:
            assert work.users.find(newcomer.id) is None
            assert work.sessions.find(session.id) == session
            assert work.tokens.find(token.id) == token
            assert work.members.find(kept_name, user.id) == membership
        assert everything(ledger.journal) == before
        assert gone_name not in store.names()
        assert not ledger.transfer(debit="assets:a", credit="assets:b", amount=eur("7.00"), key="k").replayed

    def test_unit_sees_what_it_did(self, identity: IdentityStore, ledger_name: str) -> None:
        """Before it is committed."""
        user = someone()
        with identity.begin() as work:
            work.users.add(user)
            ledger = Ledger(work.ledgers.create(ledger_name, OPENING))
            ledger.transfer(debit="assets:a", credit="assets:b", amount=eur("5.00"))

            assert work.users.find_by_email(user.email) == user
            assert posted(Ledger(work.ledgers.journal(ledger_name)), "assets:a") == "5.00"
            assert (ledger_name, None) in work.members.list_of(None, after="", limit=100_000)

    def test_ledger_is_made_as_a_store_makes_it(
        self, identity: IdentityStore, store: LedgerStore, ledger_name: str
    ) -> None:
        """Strict unless settings say otherwise; a name once; wrong names never."""
        with identity.begin() as work:
            work.ledgers.create(ledger_name)

        for name, expected in ((ledger_name, ConflictError), ("no good", ValidationError)):
            with pytest.raises(expected) as caught, identity.begin() as work:
                work.ledgers.create(name)
            assert caught.value.code in ("ledger_already_exists", "invalid_ledger_name")
        assert store.journal(ledger_name).state().settings == Settings()

    def test_unknown_ledger_is_not_found(self, identity: IdentityStore, ledger_name: str) -> None:
        """As a store would say."""
        with pytest.raises(NotFoundError) as caught, identity.begin() as work:
            work.ledgers.journal(ledger_name)

        assert (caught.value.code, caught.value.details["ledger"]) == ("ledger_not_found", ledger_name)
