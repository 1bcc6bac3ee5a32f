"""The page of the documentation that says who may do what, written from the table of routes by the rule itself."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

from ledgercore.errors import LedgercoreError
from ledgercore.identity.access import PUBLIC, Access, check_access
from ledgercore.identity.memberships import LedgerAccess
from ledgercore.identity.principals import Principal, Standing
from ledgercore.identity.users import Role
from ledgercore_http.routes import Route, Routes

_HEAD: Final = """# Who may what

Every route of the HTTP API, and who is let in. `user` is anybody who is logged in and nothing to the ledger; `reader`,
`writer` and `owner` are its members. Whoever is not let in gets the status in the cell: 401 without a good token, 403
for what one may not do, and 404 for a ledger that one may not read, as if it were not there.

A service token acts for its owner and needs the scope of the route besides; to a token that is bound to ledgers all
others are not there. Suspended and deleted users, ended sessions, and expired or revoked tokens are let in only where
nobody needs a token. Whose users and tokens one may look at or change, the routes themselves decide.

All paths stand below `/api/v1` and, the same, below `/api`. The pages of the documentation, and the OpenAPI document
that they show, are for everybody.
"""


def _person(role: Role) -> Principal:
    return Principal(user_id=UUID(int=0), email="", role=role)


_NOBODY_THERE: Final = Standing(ledger_exists=True)
CALLERS: Final[Mapping[str, tuple[Principal | None, Standing]]] = {
    "anonymous": (None, _NOBODY_THERE),
    "user": (_person(Role.USER), _NOBODY_THERE),
    **{
        access.value: (_person(Role.USER), Standing(ledger_exists=True, access=access))
        for access in (LedgerAccess.READER, LedgerAccess.WRITER, LedgerAccess.OWNER)
    },
    "support": (_person(Role.SUPPORT), _NOBODY_THERE),
    "admin": (_person(Role.ADMIN), _NOBODY_THERE),
}
"""The columns of the page."""


def render_access(tables: Iterable[Routes]) -> str:
    """Write the matrix as Markdown: a table of routes for each resource, with a column for each kind of caller."""
    return "\n".join([_HEAD, *(line for table in tables for line in _section(table))])


def _section(table: Routes) -> Iterator[str]:
    yield f"## {table.tag}\n"
    yield f"{table.description}\n"
    yield _row(["Route", *CALLERS, "Scope"])
    yield _row(["---"] * (len(CALLERS) + 2))
    yield from map(_line, table.table)
    yield ""


def _line(route: Route) -> str:
    answers = [_answer_to(caller, route.access) for caller in CALLERS]
    return _row([f"`{route.method} {route.path}`", *answers, _scope(route.access)])


def _answer_to(caller: str, rule: Access) -> str:
    principal, standing = CALLERS[caller]
    try:
        check_access(rule, principal, standing, "shop")
    except LedgercoreError as refusal:
        return str(refusal.reason.http_status)
    return "yes"


def _scope(rule: Access) -> str:
    if rule is PUBLIC:
        return "not looked at"
    return "no service token" if rule.scope is None else f"`{rule.scope.value}`"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
