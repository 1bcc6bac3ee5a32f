"""Time-ordered ids."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ledgercore.ids import TimeOrderedIds

NOON = datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)


def test_id_is_a_uuid_of_version_7():
    """Version and variant are those of RFC 9562, whatever the random bytes are."""
    for byte in (b"\x00", b"\xff", b"\x5a"):
        made = TimeOrderedIds(byte.__mul__).one(NOON)

        assert (made.version, made.variant) == (7, "specified in RFC 4122")


def test_id_begins_with_its_millisecond():
    """The first 48 bits are the Unix time in milliseconds, rounded down."""
    made = TimeOrderedIds(bytes).one(NOON)

    assert made.int >> 80 == 1_772_366_400_123


@given(seed=st.binary(min_size=10, max_size=10), count=st.integers(2, 50))
def test_ids_of_a_batch_follow_one_another(seed, count):
    """Ids of one batch are distinct, in order, and next to one another."""
    draw = TimeOrderedIds(lambda _: seed).batch(NOON)

    drawn = [draw() for _ in range(count)]

    assert drawn == sorted(set(drawn))
    assert {UUID(bytes=id_).version for id_ in drawn} == {7}
    assert int.from_bytes(drawn[-1]) - int.from_bytes(drawn[0]) == count - 1


def test_later_batches_sort_later():
    """A millisecond later every id is greater, however the random bytes fell."""
    early = TimeOrderedIds(lambda count: b"\xff" * count).batch(NOON)
    late = TimeOrderedIds(bytes).batch(NOON + timedelta(milliseconds=1))

    assert max(early() for _ in range(9)) < late()
