"""Everything that payments keep, by what it is found by."""

from uuid import UUID

from attrs import define, field

from ledgercore.payments.payments import Payment, Return


@define
class State:
    """What is kept; all of it frozen, in dictionaries."""

    payments: dict[UUID, Payment] = field(factory=dict)
    returns: dict[tuple[UUID, int], Return] = field(factory=dict)
