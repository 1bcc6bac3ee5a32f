"""The suite for a store: ledgers by name, closed in themselves."""

import pytest

from ledgercore.errors import ConflictError, NotFoundError, ValidationError
from ledgercore.ledger.commands import Settings
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.ports import LedgerStore
from ledgercore.testing.ledgers import OPENING, LedgerContract, eur, posted

WRONG_NAMES = ["", "-a", ".a", "_a", "a b", "a/b", "a:b", "ü", "a\x00", "\ud800", "a" * 64, "a\n"]


class LedgerStoreContract(LedgerContract):
    """Keeps ledgers; each is closed in itself."""

    def test_ledger_is_found_by_name(self, store: LedgerStore, ledger_name: str) -> None:
        """What was created is there under its name, with its settings."""
        made = store.create(ledger_name, OPENING)

        found = store.journal(ledger_name)

        assert (made.name, found.name, found.state()) == (ledger_name, ledger_name, made.state())
        assert found.state().settings == OPENING

    def test_settings_default_to_a_strict_ledger(self, store: LedgerStore, ledger_name: str) -> None:
        """Without settings accounts are opened one by one."""
        assert store.create(ledger_name).state().settings == Settings()

    def test_name_is_given_once(self, store: LedgerStore, ledger_name: str) -> None:
        """A ledger that is there is not made again, and stays as it was."""
        state = store.create(ledger_name, OPENING).state()

        with pytest.raises(ConflictError) as caught:
            store.create(ledger_name)

        assert (caught.value.code, caught.value.details["ledger"]) == ("ledger_already_exists", ledger_name)
        assert store.journal(ledger_name).state() == state

    def test_unknown_ledger_is_not_found(self, store: LedgerStore, ledger_name: str) -> None:
        """A ledger has to be created before it is used."""
        with pytest.raises(NotFoundError) as caught:
            store.journal(ledger_name)

        assert (caught.value.code, caught.value.details["ledger"]) == ("ledger_not_found", ledger_name)

    @pytest.mark.parametrize("name", WRONG_NAMES)
    def test_wrong_name_is_refused(self, store: LedgerStore, name: str) -> None:
        """1 to 63 letters, digits and `_ . -`, for making and for finding."""
        for use in (store.create, store.journal):
            with pytest.raises(ValidationError) as caught:
                use(name)
            assert (caught.value.code, caught.value.details["field"]) == ("invalid_ledger_name", "ledger")

    def test_names_are_listed_in_order(self, store: LedgerStore, ledger_name: str) -> None:
        """Every ledger's name, sorted by code points."""
        made = [f"{ledger_name}{end}" for end in ("-b", "-B", ".a", "_1", "0")]
        for name in made:
            store.create(name)

        names = list(store.names())

        assert [name for name in names if name.startswith(ledger_name)] == sorted(made)
        assert names == sorted(names)

    def test_longest_name_is_taken(self, store: LedgerStore, ledger_name: str) -> None:
        """63 characters, letters of both cases told apart."""
        name = ledger_name.ljust(62, "x") + "Y"

        assert store.create(name).name == name

    def test_ledgers_are_closed_in_themselves(self, store: LedgerStore, ledger_name: str) -> None:
        """The same account, key and hold in two ledgers are two of each."""
        one, two = (Ledger(store.create(f"{ledger_name}-{number}", OPENING)) for number in (1, 2))

        for ledger, amount in ((one, "1.00"), (two, "2.00")):
            ledger.transfer(debit="assets:a", credit="assets:b", amount=eur(amount), key="k")
            ledger.hold(debit="assets:a", credit="assets:b", amount=eur(amount), key="h", group="g")

        assert (posted(one, "assets:a"), posted(two, "assets:a")) == ("1.00", "2.00")
        assert [len(ledger.list_holds(group="g").items) for ledger in (one, two)] == [1, 1]
        assert one.state().head != two.state().head
