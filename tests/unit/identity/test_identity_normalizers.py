"""What callers send, in one form."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from ledgercore.errors import ValidationError
from ledgercore.identity.normalizers import (
    PAGE_MAX,
    admin_user_attrs,
    filter_attrs,
    keyset_attrs,
    login_attrs,
    pagination_attrs,
    password_attrs,
    refresh_token_attrs,
    sort_attrs,
    user_attrs,
    user_filter,
    user_update_attrs,
)
from ledgercore.identity.users import Role, UserFilter, UserStatus, check_email

NO_MAPS: Any = [None, "email", 5, ["email"], [("email", "a@b.c")], object()]
EMPTY: Any = [user_attrs, admin_user_attrs, user_update_attrs, password_attrs, login_attrs, refresh_token_attrs]


class Name:
    """A key that is not text."""

    def __str__(self) -> str:
        return "email"


@pytest.mark.parametrize("attrs", NO_MAPS, ids=lambda attrs: type(attrs).__name__)
def test_what_is_no_mapping_counts_as_empty(attrs):
    for normalize in EMPTY:
        assert normalize(attrs) == {}
    assert filter_attrs(attrs, {"status"}) == {}
    assert pagination_attrs(attrs) == {"page": 1, "page_size": 20}
    assert sort_attrs(attrs) == ()
    assert keyset_attrs(attrs) == (20, None)


def test_keys_become_text():
    assert login_attrs({Name(): " A@B.c "}) == {"email": "a@b.c"}


def test_registration_keeps_four_fields_and_forces_role_and_status():
    sent = {
        "email": " ALICE@EXAMPLE.COM  ", "full_name": " Alice  Liddell ", "password": " s3cret ",
        "password_confirmation": " s3cret ", "role": "admin", "status": "DELETED", "verified": True, "id": "1",
    }  # fmt: skip

    assert user_attrs(sent) == {
        "email": "alice@example.com", "full_name": "Alice  Liddell", "password": " s3cret ",
        "password_confirmation": " s3cret ", "role": Role.USER, "status": UserStatus.ACTIVE,
    }  # fmt: skip


def test_the_example_of_an_address_in_blanks_passes_its_check():
    """Normalised first, then validated."""
    assert check_email(user_attrs({"email": " ALICE@EXAMPLE.COM  "})["email"]) == "alice@example.com"


@pytest.mark.parametrize(
    ("role", "expected"),
    [(" Admin ", "admin"), ("SUPPORT", "support"), ("user", "user"), (None, "user"), (" ", "user"), ("boss", "boss")],
)
def test_admins_send_a_role(role, expected):
    """An unknown one stays, so that it is refused rather than replaced."""
    normal = admin_user_attrs({"email": "a@b.c", "role": role, "status": "SUSPENDED"})

    assert normal == {"email": "a@b.c", "role": expected, "status": UserStatus.ACTIVE}


def test_without_a_role_an_admin_makes_a_user():
    assert admin_user_attrs({})["role"] is Role.USER


def test_an_update_keeps_four_fields():
    sent = {"email": " B@C.d", "full_name": " B ", "role": " ADMIN", "status": "suspended ", "password": "x", "id": 1}

    assert user_update_attrs(sent) == {"email": "b@c.d", "full_name": "B", "role": "admin", "status": "SUSPENDED"}
    assert user_update_attrs({"role": "boss", "status": "gone"}) == {"role": "boss", "status": "GONE"}
    assert user_update_attrs({}) == {}


def test_passwords_are_never_trimmed():
    sent = {"current_password": " a ", "new_password": "\tb\n", "password_confirmation": " b", "password": "c"}

    assert password_attrs(sent) == {"current_password": " a ", "new_password": "\tb\n", "password_confirmation": " b"}
    assert login_attrs({"email": " A@b.c ", "password": " x ", "role": "admin"}) == {
        "email": "a@b.c",
        "password": " x ",
    }


def test_refresh_token_is_trimmed():
    assert refresh_token_attrs({"refresh_token": " abc \n", "other": 1}) == {"refresh_token": "abc"}


@pytest.mark.parametrize("value", [5, 5.5, True, [], {}, b"x"], ids=repr)
def test_values_of_a_wrong_type_stay_for_the_checks(value):
    assert user_update_attrs({"email": value, "role": value}) == {"email": value, "role": value}


@pytest.mark.parametrize(
    ("value", "page", "page_size"),
    [
        ("1", 1, 1), ("7", 7, 7), (7, 7, 7), ("100", 100, 100), ("101", 101, 100), (101, 101, 100),
        ("9" * 5000, PAGE_MAX, 100), (10**40, PAGE_MAX, 100),
        ("0", 1, 20), ("-1", 1, 20), (0, 1, 20), (-3, 1, 20), ("", 1, 20), ("x", 1, 20), ("1.5", 1, 20), (1.5, 1, 20),
        (True, 1, 20), (None, 1, 20), ("٣", 1, 20), ("1_0", 1, 20), (" 2", 1, 20), ([2], 1, 20),
    ],
)  # fmt: skip
def test_paging_falls_back_and_is_capped(value, page, page_size):
    assert pagination_attrs({"page": value, "page_size": value}) == {"page": page, "page_size": page_size}


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("email", (("email", False),)),
        ("email:asc", (("email", False),)),
        ("email:desc", (("email", True),)),
        ("role:desc, email", (("role", True), ("email", False))),
        ("created_at:desc", (("inserted_at", True),)),
        ("email:up,role", (("role", False),)),
        ("email:desc,email:asc", (("email", True),)),
        ("email:asc:desc", ()),
        (",, ", ()),
        ("", ()),
        (None, ()),
        (5, ()),
    ],
)
def test_sort_is_read_part_by_part(sort, expected):
    assert sort_attrs({"sort": sort}) == expected


@pytest.mark.parametrize("name", ["password_hash", "nothing", "Email", "id", "e" * 500, "\ud800", "email;drop"])
def test_sort_by_an_unknown_field_is_refused(name):
    with pytest.raises(ValidationError) as caught:
        sort_attrs({"sort": f"email,{name}:asc"})

    assert caught.value.code == "invalid_sort"
    assert "email" in caught.value.details["allowed"]  # type: ignore[operator]


def test_filters_are_those_that_are_known_and_have_a_value():
    sent = {
        "status": "ACTIVE",
        "role": " ",
        "sort": "email",
        "page": 2,
        "page_size": 3,
        "drop": "table",
        "flag": 10**5000,
    }

    assert filter_attrs(sent, {"status", "role", "flag", "page"}) == {"status": "ACTIVE", "flag": 10**5000}
    assert filter_attrs({"status": None, "role": ""}, {"status", "role"}) == {}


def test_user_filter_is_checked():
    assert user_filter({"status": " active ", "role": "Admin", "page": 1}) == UserFilter(
        status=UserStatus.ACTIVE, role=Role.ADMIN
    )
    assert user_filter({"status": ""}) == UserFilter()
    for name, code in (("status", "invalid_status"), ("role", "invalid_role")):
        with pytest.raises(ValidationError) as caught:
            user_filter({name: "boss"})
        assert caught.value.code == code


def test_keyset_position_is_text_or_object():
    position = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC), UUID(int=7)
    document = {"inserted_at": "2026-03-01T12:00:00.000005+00:00", "id": str(UUID(int=7))}

    assert keyset_attrs({"cursor": document, "limit": "3"}) == (3, position)
    text = '{"inserted_at": "2026-03-01T12:00:00.000005Z", "id": "00000000-0000-0000-0000-000000000007"}'
    assert keyset_attrs({"cursor": text, "limit": "500"}) == (100, position)


@pytest.mark.parametrize(
    "cursor",
    [
        "", "x", "{}", "[]", "null", "5", '{"id": "7"}', '{"id": 7, "inserted_at": 7}', "[" * 5000, "\ud800", 5, {},
        {"id": str(UUID(int=7))}, {"id": str(UUID(int=7)), "inserted_at": "2026-03-01"},
        {"id": str(UUID(int=7)), "inserted_at": "2026-03-01T12:00:00"}, {"id": str(UUID(int=7)), "inserted_at": 5},
        {"id": "7", "inserted_at": "2026-03-01T12:00:00Z"}, {"inserted_at": "2026-03-01T12:00:00Z"},
    ],
)  # fmt: skip
def test_unreadable_cursor_gives_the_first_page(cursor):
    assert keyset_attrs({"cursor": cursor, "limit": "no"}) == (20, None)
