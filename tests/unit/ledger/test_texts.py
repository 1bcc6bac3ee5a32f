"""Texts, times and metadata that callers attach."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest

from ledgercore.errors import ValidationError
from ledgercore.ledger.texts import (
    EARLIEST,
    LATEST,
    check_description,
    check_key,
    check_metadata,
    check_moment,
    check_reference,
    parse_moment,
)


def refused(check, *arguments, **options):
    """The error of a refusal."""
    with pytest.raises(ValidationError) as caught:
        check(*arguments, **options)
    return caught.value


@pytest.mark.parametrize(
    ("check", "code", "longest"),
    [
        (check_description, "invalid_description_format", 1000),
        (check_reference, "invalid_reference", 255),
        (check_key, "invalid_idempotency_key", 255),
    ],
)
def test_texts_are_kept_or_refused(check, code, longest):
    """Up to a length, anything that UTF-8 can carry but NUL."""
    for text in ("a", "ü💶\t\n'\\", "x" * longest, None):
        assert check(text) == text
    for text in ("x" * (longest + 1), "a\x00b", "ü\x00", "\ud800", 5, b"bytes"):
        error = refused(check, text)
        assert error.code == code
        assert "\x00" not in str(error.details["value"])
        str(error).encode()


def test_empty_text():
    """An empty description is none; an empty reference or key is refused."""
    assert check_description("") is None
    assert refused(check_reference, "").details["why"] == "it is empty"
    assert refused(check_key, "").details["field"] == "key"


class Nowhere(tzinfo):
    """A zone that does not know its offset."""

    def utcoffset(self, moment):
        return None

    def dst(self, moment):
        return None

    def tzname(self, moment):
        return None


def test_times_become_utc():
    """Any offset is understood; UTC stays the same object."""
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(hours=-9, minutes=-30)))

    assert check_moment(moment, field="f") is moment
    assert repr(check_moment(elsewhere, field="f")) == repr(moment)
    assert check_moment(None, field="f") is None
    assert check_moment(EARLIEST, field="f") == EARLIEST
    assert check_moment(LATEST, field="f") == LATEST


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (datetime(2026, 3, 1), "invalid_datetime_format"),
        (datetime(2026, 3, 1, tzinfo=Nowhere()), "invalid_datetime_format"),
        ("2026-03-01", "invalid_datetime_format"),
        (EARLIEST - timedelta(microseconds=1), "datetime_out_of_range"),
        (LATEST + timedelta(microseconds=1), "datetime_out_of_range"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), "datetime_out_of_range"),
        (datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14))), "datetime_out_of_range"),
    ],
)
def test_wrong_times_are_refused(moment, code):
    """A time without offset is no moment, and years 0 to 999 and 9999 cannot be counted everywhere."""
    error = refused(check_moment, moment, field="effective_at")

    assert (error.code, error.details["field"]) == (code, "effective_at")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "invalid_datetime_format"),
        ("2026-03-01", "invalid_datetime_format"),
        ("2026-03-01T12:00:00", "invalid_datetime_format"),
        ("yesterday", "invalid_datetime_format"),
        ("2026-13-01T00:00:00Z", "invalid_datetime_format"),
        ("\x00\ud800", "invalid_datetime_format"),
        (None, "invalid_datetime_format"),
        ("0000-01-01T00:00:00Z", "datetime_out_of_range"),
        ("0999-12-31T00:00:00Z", "datetime_out_of_range"),
        ("9999-12-31T00:00:00Z", "datetime_out_of_range"),
        ("10000-01-01T00:00:00Z", "datetime_out_of_range"),
    ],
)
def test_wrong_texts_are_no_times(text, code):
    """What is read from outside must say when and where."""
    error = refused(parse_moment, text, field="effective_at")

    assert (error.code, error.details["field"]) == (code, "effective_at")


def test_text_is_read_as_a_time():
    """ISO 8601 with an offset."""
    assert parse_moment("2026-03-01T13:00:00.5+01:00", field="f") == datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)


def test_metadata_is_a_copy_as_json_has_it():
    """Tuples become lists, and what the caller changes later changes nothing."""
    inner = [1, (2, {"a": None})]
    given = {"b": inner, "t": True}

    checked = check_metadata(given)
    inner.append(3)

    assert checked == {"b": [1, [2, {"a": None}]], "t": True}
    assert check_metadata({}) is None
    assert check_metadata(None) is None


@pytest.mark.parametrize(
    ("metadata", "field", "why"),
    [
        ({"a": 1.5}, "metadata.a", "floats"),
        ({"a": [{"b": float("nan")}]}, "metadata.a[0].b", "floats"),
        ({"a": {1: 2}}, "metadata.a", "a key is wrong"),
        ({"": 1}, "metadata", "a key is wrong"),
        ({"a\x00": 1}, "metadata", "NUL"),
        ({"a": "\ud800"}, "metadata.a", "surrogate"),
        ({"a": {1}}, "metadata.a", "set is not JSON"),
        ({"a": b"b"}, "metadata.a", "bytes is not JSON"),
        ({"a": 10**309}, "metadata.a", "digits"),
        ({"a": 10**5000}, "metadata.a", "digits"),
        ({"a": ["x" * 10_000, "y" * 10_000]}, "metadata", "at most 16384"),
        ({"a": "x" * 16_385}, "metadata.a", "16385 characters"),
        ([1], "metadata", "an object, not list"),
        ("text", "metadata", "an object, not str"),
    ],
)
def test_wrong_metadata_is_refused_where_it_is_wrong(metadata, field, why):
    """The refusal leads to the value."""
    error = refused(check_metadata, metadata)

    assert (error.code, error.details["field"]) == ("invalid_metadata", field)
    assert why in error.details["why"]


def test_metadata_is_no_deeper_than_eight_levels():
    """Deep nesting, or an object that contains itself, is refused before anybody runs out of stack."""
    deep: dict = {}
    for _ in range(8):
        deep = {"a": deep}
    endless: dict = {}
    endless["a"] = endless

    assert check_metadata(deep) == deep
    for wrong in ({"a": deep}, endless):
        assert "deeper" in refused(check_metadata, wrong).details["why"]
