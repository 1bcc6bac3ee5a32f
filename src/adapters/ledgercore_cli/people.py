"""Who acts at the command line, and users as it names them: by email or by id."""

from collections.abc import Callable
from typing import Any, Final, TypeVar
from uuid import UUID

import click

from ledgercore.identity.access import Operator
from ledgercore.identity.identity import Identity
from ledgercore.ledger.documents import id_from

SITTING_HERE: Final = Operator()
_Command = TypeVar("_Command", bound=Callable[..., Any])


def user_argument(command: _Command) -> _Command:
    """`USER`: an email or an id."""
    return click.argument("name", metavar="USER")(command)


def user_id(identity: Identity, name: str) -> UUID:
    """The id of the user of that name; raises `user_not_found` for an email, and `invalid_uuid_format`."""
    if "@" in name:
        return identity.users.id_of(name, by=SITTING_HERE)
    found = id_from(name, field="user")
    assert found is not None
    return found
