"""Everything about banks in one value."""

from attrs import frozen

from ledgercore.banking.accounts_administration import BankAccountAdministration
from ledgercore.banking.banks_administration import BankAdministration
from ledgercore.banking.connecting import BankConnecting
from ledgercore.banking.logins_administration import BankLoginAdministration
from ledgercore.banking.resealing import Resealing
from ledgercore.banking.runs import Surroundings
from ledgercore.banking.sync_jobs import BankHandlers
from ledgercore.banking.syncing import BankSync
from ledgercore.events.webhook_administration import AddressCheck


@frozen(kw_only=True)
class Banking:
    """The use cases of banking, each over the same store. `ledger` is the bank's."""

    around: Surroundings
    addresses: AddressCheck
    ledger: str

    @property
    def banks(self) -> BankAdministration:
        """Banks and their branches."""
        return BankAdministration(around=self.around, addresses=self.addresses)

    @property
    def connecting(self) -> BankConnecting:
        """Letting us in."""
        return BankConnecting(around=self.around)

    @property
    def logins(self) -> BankLoginAdministration:
        """Users' connections."""
        return BankLoginAdministration(
            store=self.around.store, clock=self.around.clock, random_bytes=self.around.random_bytes
        )

    @property
    def accounts(self) -> BankAccountAdministration:
        """Users' accounts."""
        return BankAccountAdministration(around=self.around, ledger=self.ledger)

    @property
    def sync(self) -> BankSync:
        """Bringing accounts up to date."""
        return BankSync(around=self.around, ledger=self.ledger)

    @property
    def resealing(self) -> Resealing:
        """Changing the key that secrets are sealed with."""
        return Resealing(store=self.around.store, sealer=self.around.sealer)

    @property
    def handlers(self) -> BankHandlers:
        """What workers do."""
        return BankHandlers(store=self.around.store, clock=self.around.clock, sync=self.sync)
