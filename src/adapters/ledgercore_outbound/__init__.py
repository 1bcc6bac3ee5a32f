"""Calling services outside: bounded, guarded against addresses inside, retried by the catalog, broken by circuits."""

from ledgercore_outbound.addresses import AddressGuard
from ledgercore_outbound.exchanging import Exchanger
from ledgercore_outbound.transport import Bounds, Outbound

__all__ = ["AddressGuard", "Bounds", "Exchanger", "Outbound"]
