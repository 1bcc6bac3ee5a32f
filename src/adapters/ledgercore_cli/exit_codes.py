"""What the exit status of a command says; scripts rely on these numbers."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ledgercore.errors import LedgercoreError

DONE: Final = 0
REFUSED_IN_PART: Final = 1
INVALID: Final = 2
NOT_FOUND: Final = 3
CONFLICT: Final = 4
BUSINESS_RULE: Final = 5
DIVERGED: Final = 6
UNAVAILABLE: Final = 7
DENIED: Final = 8
INTERNAL: Final = 70
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141

MEANINGS: Final = {
    DONE: "done",
    REFUSED_IN_PART: "done in part: some commands of a batch or rows of a file were refused",
    INVALID: "wrong usage, or something in the input cannot be read",
    NOT_FOUND: "what is named does not exist: a ledger, account, transaction, hold, user, token",
    CONFLICT: "contradicts what is stored: a key used for other content, a balance that is not the expected one",
    BUSINESS_RULE: "a rule forbids it: too little money, a frozen account, a closed period, the last admin",
    DIVERGED: "a check found something wrong: verify, proof, audit, doctor",
    UNAVAILABLE: "the database did not answer, or it is unknown whether it committed: try again, same key",
    DENIED: "not allowed",
    INTERNAL: "wrong set-up or a fault on our side",
    INTERRUPTED: "interrupted by Ctrl-C",
}

_OF_CATEGORY: Final = {
    "validation": INVALID,
    "authentication": DENIED,
    "authorization": DENIED,
    "not_found": NOT_FOUND,
    "conflict": CONFLICT,
    "business_rule": BUSINESS_RULE,
    "external_dependency": UNAVAILABLE,
    "system": INTERNAL,
}


def exit_code_for(error: "LedgercoreError") -> int:
    """The status with which a command ends that an error ended; its category decides."""
    from ledgercore.errors.catalog import INVALID_PROOF, LOG_DIVERGED

    # What a check found is told apart from bad input and bad set-up.
    if error.reason in (INVALID_PROOF, LOG_DIVERGED):
        return DIVERGED
    return _OF_CATEGORY[error.reason.category.value]
