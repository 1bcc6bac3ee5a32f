"""Whether a password that somebody presents is the right one, at the same cost whatever is presented."""

from ledgercore.identity.passwords import LENGTH_MAX
from ledgercore.identity.secrets import PasswordHasher
from ledgercore.ledger.texts import fault_in


def is_right(hasher: PasswordHasher, password: object, hashed: str | None) -> bool:
    """Whether this password was hashed to that; never for a user who is not there (`None`).

    What can be nobody's password, such as none at all, costs as much as one that is merely wrong.
    """
    possible = password if isinstance(password, str) and fault_in(password, LENGTH_MAX) is None else ""
    return hasher.verify(possible, hashed) and possible != ""


def is_still_right(hasher: PasswordHasher, password: object, *, seen: str, now: str) -> bool:
    """Whether a password that fitted the hash seen before fits the one that is stored now.

    Both are nearly always the same, which costs nothing; else somebody has changed the password meanwhile, or a
    simultaneous login has hashed it anew.
    """
    return seen == now or is_right(hasher, password, now)
