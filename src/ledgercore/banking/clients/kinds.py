"""Which client speaks which kind of bank's language."""

from collections.abc import Callable, Mapping
from typing import Final

from ledgercore.banking.clients.berlin_group import BerlinGroupClient
from ledgercore.banking.clients.client import BankClient, Registration
from ledgercore.banking.clients.monzo import MonzoClient
from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import UNKNOWN_BANK_KIND

CLIENTS: Final[Mapping[str, Callable[[Registration], BankClient]]] = {
    "monzo": MonzoClient,
    "berlin_group": BerlinGroupClient,
}


def client_of(kind: str, registration: Registration) -> BankClient:
    """The client for a kind of bank, as we are registered there; raises `unknown_bank_kind`."""
    if kind not in CLIENTS:
        raise ValidationError(UNKNOWN_BANK_KIND, kind=shortened(kind), kinds=sorted(CLIENTS))
    return CLIENTS[kind](registration)
