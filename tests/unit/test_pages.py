"""Pages and their cursors."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgercore.errors import ValidationError
from ledgercore.pages import POSITION_MAX, Page, check_limit, decode_cursor, encode_cursor, page_of


@given(st.integers(0, POSITION_MAX), st.text(st.characters(min_codepoint=32, max_codepoint=126)), st.uuids())
def test_cursor_leads_back_to_its_position(number, text, uuid):
    """What was encoded is decoded, by kind and types."""
    cursor = encode_cursor("kind", number, text, str(uuid))

    assert decode_cursor("kind", cursor, int, str, UUID) == (number, text, uuid)
    assert cursor.isascii()
    assert "=" not in cursor


@pytest.mark.parametrize(
    ("cursor", "types"),
    [
        (encode_cursor("other", 1), (int,)),
        (encode_cursor("kind", 1, 2), (int,)),
        (encode_cursor("kind"), (int,)),
        (encode_cursor("kind", "1"), (int,)),
        (encode_cursor("kind", True), (int,)),
        (encode_cursor("kind", -1), (int,)),
        (encode_cursor("kind", POSITION_MAX + 1), (int,)),
        (encode_cursor("kind", 1), (str,)),
        (encode_cursor("kind", "\x00"), (str,)),
        (encode_cursor("kind", "ü"), (str,)),
        (encode_cursor("kind", "1"), (UUID,)),
        (encode_cursor("kind", 1), (UUID,)),
        ("W" * 100_000, (int,)),
        ("W1" * 9, (int,)),
        ("€", (int,)),
        ("\ud800", (int,)),
        (5, (int,)),
    ],
)
def test_other_text_is_no_cursor(cursor, types):
    """Whatever the page did not give out is refused with the field and a short part of it."""
    with pytest.raises(ValidationError) as caught:
        decode_cursor("kind", cursor, *types)

    assert (caught.value.code, caught.value.details["field"]) == ("invalid_cursor", "cursor")
    assert len(str(caught.value.details["cursor"])) <= 60


@pytest.mark.parametrize("limit", [0, 1001, -1, True, 1.0, "1", None])
def test_page_size_is_between_1_and_1000(limit):
    """Other sizes are refused."""
    with pytest.raises(ValidationError) as caught:
        check_limit(limit)

    assert caught.value.code == "invalid_filter"


def test_page_of_one_item_more_has_a_cursor():
    """The extra item is not shown; it only tells that more follow."""
    assert check_limit(2) == 2
    assert page_of([1, 2], 2, "kind", lambda item: (item,)) == Page((1, 2))
    assert page_of([1, 2, 3], 2, "kind", lambda item: (item,)) == Page((1, 2), encode_cursor("kind", 2))
    assert page_of([], 2, "kind", lambda item: (item,)) == Page(())
