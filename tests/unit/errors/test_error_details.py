"""Details of errors: JSON values, without secrets, on one line."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgercore.errors import BusinessRuleError, shortened
from ledgercore.errors.catalog import INSUFFICIENT_FUNDS
from ledgercore.errors.details import SENSITIVE_KEYS, json_value, shown


class Side(Enum):
    DEBIT = "debit"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (5, 5),
        (0.5, 0.5),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        ("text", "text"),
        (Decimal("0.10"), "0.10"),
        (Fraction(1, 3), "1/3"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02T03:04:00+00:00"),
        (date(2026, 1, 2), "2026-01-02"),
        (Side.DEBIT, "debit"),
        ((1, Decimal(2)), [1, "2"]),
        ({"b", "a"}, ["a", "b"]),
        ({"inner": Side.DEBIT}, {"inner": "debit"}),
        ("\ud800", "\\ud800"),
        pytest.param(10**5000, "an integer of 16610 bits", id="huge"),
    ],
)
def test_values_become_json(value: object, expected: object) -> None:
    """What JSON has no type for becomes text; nothing loses digits."""
    assert json_value(value) == expected


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals() | st.uuids(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_is_in_the_details_can_be_sent(value: object) -> None:
    """A body that reports an error never fails itself: strict JSON in UTF-8, and a one-line message."""
    error = BusinessRuleError(INSUFFICIENT_FUNDS, value=value)

    body = json.dumps(error.details, allow_nan=False, ensure_ascii=False).encode()

    assert json.loads(body) == error.details
    assert str(error).isprintable()


@pytest.mark.parametrize("key", sorted(SENSITIVE_KEYS))
def test_secrets_never_get_into_an_error(key: str) -> None:
    """A sensitive key is left out at every depth, however it is capitalised."""
    error = BusinessRuleError(INSUFFICIENT_FUNDS, **{key: "hush", key.upper(): "hush"}, nested=[{key: "hush"}], kept=1)

    assert error.details == {"nested": [{}], "kept": 1}
    assert "hush" not in f"{error} {error!r}"


def test_long_values_are_shown_in_part() -> None:
    """A message stays readable; the details keep the whole value."""
    error = BusinessRuleError(INSUFFICIENT_FUNDS, account="a" * 1000)

    assert len(str(error)) < 300
    assert error.details["account"] == "a" * 1000


@pytest.mark.parametrize(
    ("value", "expected"),
    [("two\nlines", "two\\nlines"), ("turned\u202earound", "turned\\u202earound"), ("nul\x00", "nul\\x00")],
)
def test_messages_stay_on_one_line(value: str, expected: str) -> None:
    """Whoever chooses a value cannot forge a line of the log, nor turn one around."""
    assert shown(value) == expected


def nested_list(depth: int) -> list[object]:
    nested: list[object] = []
    for _ in range(depth):
        nested = [nested]
    return nested


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x" * 100, "x" * 60),
        (None, "None"),
        pytest.param(10**5000, "an integer of 16610 bits", id="huge"),
        (Decimal("1E+5"), "1E+5"),
        pytest.param(nested_list(100_000), "a value of type list", id="deep"),
    ],
)
def test_anything_can_be_shortened(value: object, expected: str) -> None:
    """What a caller sent is shown in at most 60 characters, even where Python cannot write it out."""
    assert shortened(value) == expected


def test_details_are_a_mapping_of_their_own() -> None:
    """Changing what was handed in later does not change the error."""
    limits: dict[str, int] = {"maximum": 1}
    error = BusinessRuleError(INSUFFICIENT_FUNDS, limits=limits)

    limits["maximum"] = 2

    kept = error.details["limits"]
    assert isinstance(kept, Mapping)
    assert kept["maximum"] == 1
