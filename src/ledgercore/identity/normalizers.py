"""What callers send, brought into one form before it is checked.

Each function takes a mapping and gives a new one with text keys, of the names it knows; anything but a mapping
counts as an empty one. Nothing is refused here, with one exception: a sort by an unknown field, which would
otherwise be answered in an order that nobody asked for. Values of the wrong type or kind stay as they are, so that
the checks that follow can name them.
"""

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import INVALID_SORT
from ledgercore.identity.users import SORTABLE, Role, UserFilter, UserStatus, check_role, check_status
from ledgercore.ledger.documents import id_from, parse_json
from ledgercore.ledger.texts import parse_moment

PAGE_SIZE: Final = 20
PAGE_SIZE_MAX: Final = 100
PAGE_MAX: Final = 1_000_000_000
USER_FILTERS: Final = frozenset({"status", "role"})
_PAGING: Final = frozenset({"page", "page_size", "sort"})
_SORT_ALIASES: Final = {"created_at": "inserted_at"}
_NUMBER: Final = re.compile(r"[1-9][0-9]*", re.ASCII)
_DIGITS_MAX: Final = 18


def user_attrs(attrs: object) -> dict[str, Any]:
    """What a new user sends of themselves; the role is `user` and the status `ACTIVE`, whatever was sent."""
    if not isinstance(attrs, Mapping):
        return {}
    return {
        **_normal(attrs, ("email", "full_name", "password", "password_confirmation")),
        "role": Role.USER,
        "status": UserStatus.ACTIVE,
    }


def admin_user_attrs(attrs: object) -> dict[str, Any]:
    """What an admin sends of a new user; the role is `user` unless one is given."""
    role = _normal(attrs, ("role",)).get("role")
    normal = user_attrs(attrs)
    return normal if role in (None, "") else {**normal, "role": role}


def user_update_attrs(attrs: object) -> dict[str, Any]:
    """What may be changed of a user."""
    return _normal(attrs, ("email", "full_name", "role", "status"))


def password_attrs(attrs: object) -> dict[str, Any]:
    """A change of password, to the letter: trimming would make it another secret."""
    return _normal(attrs, ("current_password", "new_password", "password_confirmation"))


def login_attrs(attrs: object) -> dict[str, Any]:
    """Email and password, the password to the letter."""
    return _normal(attrs, ("email", "password"))


def refresh_token_attrs(attrs: object) -> dict[str, Any]:
    """The refresh token, trimmed."""
    return _normal(attrs, ("refresh_token",))


def pagination_attrs(attrs: object) -> dict[str, int]:
    """`page` and `page_size`: what cannot be read gets the default, what is too large the greatest that is allowed."""
    kept = _normal(attrs, ("page", "page_size"))
    return {
        "page": min(_number(kept.get("page")) or 1, PAGE_MAX),
        "page_size": min(_number(kept.get("page_size")) or PAGE_SIZE, PAGE_SIZE_MAX),
    }


def keyset_attrs(attrs: object) -> tuple[int, tuple[datetime, UUID] | None]:
    """`limit` as a page size, and the position of `cursor`; a cursor that cannot be read gives the first page."""
    kept = _normal(attrs, ("limit", "cursor"))
    return min(_number(kept.get("limit")) or PAGE_SIZE, PAGE_SIZE_MAX), _position(kept.get("cursor"))


def sort_attrs(attrs: object) -> tuple[tuple[str, bool], ...]:
    """The fields of `sort` and whether they descend, each once; `created_at` is another name of `inserted_at`.

    Parts with another direction than `asc` and `desc` are dropped. Raises `invalid_sort` for an unknown field.
    """
    sort = _normal(attrs, ("sort",)).get("sort")
    found: dict[str, bool] = {}
    for part in sort.split(",") if isinstance(sort, str) else ():
        name, _, direction = part.strip().partition(":")
        if not name or direction not in ("", "asc", "desc"):
            continue
        field = _SORT_ALIASES.get(name, name)
        if field not in SORTABLE:
            raise ValidationError(INVALID_SORT, field="sort", value=shortened(name), allowed=list(SORTABLE))
        found.setdefault(field, direction == "desc")
    return tuple(found.items())


def filter_attrs(attrs: object, allowed: Collection[str]) -> dict[str, Any]:
    """The filters of these names that have a value; paging and sorting are none."""
    kept = _normal(attrs, frozenset(allowed) - _PAGING)
    return {name: value for name, value in kept.items() if _trimmed(value) not in (None, "")}


def user_filter(attrs: object) -> UserFilter:
    """Which users a query wants; raises `invalid_status` and `invalid_role`."""
    kept = filter_attrs(attrs, USER_FILTERS)
    return UserFilter(
        status=check_status(kept["status"]) if "status" in kept else None,
        role=check_role(kept["role"]) if "role" in kept else None,
    )


def _normal(attrs: object, names: Collection[str]) -> dict[str, Any]:
    if not isinstance(attrs, Mapping):
        return {}
    kept = {str(name): value for name, value in attrs.items() if str(name) in names}
    return {name: _TRANSFORMS[name](value) if name in _TRANSFORMS else value for name, value in kept.items()}


def _trimmed(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


_TRANSFORMS: Final = {
    "email": _lower,
    "full_name": _trimmed,
    "role": _lower,
    "status": _upper,
    "refresh_token": _trimmed,
}


def _number(value: object) -> int | None:
    """A whole number from 1, or its digits; more digits than any page has count as very many."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value[:_DIGITS_MAX])
    return value if type(value) is int and value >= 1 else None


def _position(cursor: object) -> tuple[datetime, UUID] | None:
    try:
        document = parse_json(cursor) if isinstance(cursor, str) else cursor
        if not isinstance(document, Mapping):
            return None
        id = id_from(document.get("id"))
        return (parse_moment(document.get("inserted_at", ""), field="cursor"), id) if id is not None else None
    except ValidationError:
        return None
