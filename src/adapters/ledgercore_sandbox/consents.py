"""Consents of Berlin Group: what a third party asked to see, and what has become of it."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from attrs import define, field, frozen

from ledgercore.clock import Clock
from ledgercore_sandbox.books import Account
from ledgercore_sandbox.generating import Names

VALID_DAYS_MAX: Final = 180
SERVICES: Final = ("accounts", "balances", "transactions")
GLOBAL_ACCESS: Final = ("availableAccounts", "availableAccountsWithBalance", "allPsd2")
ALL_VALUES: Final = ("allAccounts", "allAccountsWithOwnerName")


class UnreadableConsent(Exception):
    """A consent was asked for in a way that cannot be read: `path` says where."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__(text)
        self.path = path


@frozen(kw_only=True)
class ConsentRequest:
    """What a third party asks for."""

    access: Mapping[str, Any]
    is_recurring: bool
    valid_until: date
    frequency_per_day: int

    @classmethod
    def of(cls, document: Any, *, today: date) -> "ConsentRequest":
        """Read the body of a request; raises `UnreadableConsent`."""
        if not isinstance(document, dict):
            raise UnreadableConsent("", "a JSON object is wanted")
        access = _get(document, "access", dict)
        is_recurring = _get(document, "recurringIndicator", bool)
        frequency = _get(document, "frequencyPerDay", int)
        _get(document, "combinedServiceIndicator", bool)
        if frequency < 1 or (not is_recurring and frequency != 1):
            raise UnreadableConsent("frequencyPerDay", "at least 1, and 1 where access is not recurring")
        try:
            valid_until = date.fromisoformat(_get(document, "validUntil", str))
        except ValueError:
            raise UnreadableConsent("validUntil", "a date is wanted") from None
        if valid_until < today:
            raise UnreadableConsent("validUntil", "the date is past")
        _check_access(access)
        return cls(access=access, is_recurring=is_recurring, valid_until=valid_until, frequency_per_day=frequency)


@define(kw_only=True)
class Consent:
    """A consent and its life: received, then valid or rejected, and in the end expired, revoked or terminated."""

    id: str
    asked: ConsentRequest
    valid_until: date
    last_action_on: date
    status: str = "received"
    customer_id: str | None = None

    def covers(self, account: Account, service: str) -> bool:
        """Whether an account may be seen: `service` is accounts, balances or transactions."""
        if account.customer_id != self.customer_id:
            return False
        access = self.asked.access
        if "allPsd2" in access:
            return True
        if "availableAccountsWithBalance" in access:
            return service != "transactions"
        if "availableAccounts" in access:
            return service == "accounts"
        # Whoever may see a balance or transactions may see that the account is there.
        listed = [access[name] for name in (SERVICES if service == "accounts" else (service,)) if name in access]
        # An empty list leaves the choice to the customer, who chooses every account here.
        return any(not accounts or any(each.get("iban") == account.iban for each in accounts) for accounts in listed)


@define(kw_only=True)
class Consents:
    """Every consent there ever was."""

    clock: Clock
    names: Names
    _consents: dict[str, Consent] = field(factory=dict)

    def create(self, asked: ConsentRequest) -> Consent:
        """Keep what was asked for, which is valid for 180 days at most."""
        today = self.clock().date()
        consent = Consent(
            id=self.names.uuid(),
            asked=asked,
            valid_until=min(asked.valid_until, today + timedelta(days=VALID_DAYS_MAX)),
            last_action_on=today,
        )
        self._consents[consent.id] = consent
        return consent

    def find(self, consent_id: str) -> Consent | None:
        """A consent with its status of today; `None` when there is none."""
        consent = self._consents.get(consent_id)
        if consent is not None and consent.status == "valid" and self.clock().date() > consent.valid_until:
            self.move(consent, "expired")
        return consent

    def move(self, consent: Consent, status: str) -> None:
        """Give a consent another status today."""
        consent.status = status
        consent.last_action_on = self.clock().date()

    def of_customer(self, customer_id: str) -> list[Consent]:
        """What a customer has said yes to."""
        return [consent for consent in self._consents.values() if consent.customer_id == customer_id]


def _get(document: dict[str, Any], name: str, wanted: type) -> Any:
    value = document.get(name)
    # To Python a boolean is an integer too.
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise UnreadableConsent(name, f"{name} is missing, or of another type")
    return value


def _check_access(access: Mapping[str, Any]) -> None:
    if not access:
        raise UnreadableConsent("access", "access to nothing was asked for")
    for name, value in access.items():
        if name in SERVICES:
            if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
                raise UnreadableConsent(f"access.{name}", "a list of accounts is wanted")
        elif name in GLOBAL_ACCESS:
            if value not in ALL_VALUES:
                raise UnreadableConsent(f"access.{name}", "not a value of this field")
        else:
            raise UnreadableConsent(f"access.{name}", "not supported")
