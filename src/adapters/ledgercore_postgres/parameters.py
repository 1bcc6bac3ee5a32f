"""Arrays as PostgreSQL's binary protocol takes them, built without a detour over Python objects."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from psycopg import Connection
from psycopg.adapt import Dumper
from psycopg.pq import Format

from ledgercore.ledger.log.encoding import NONE, encode_amount, microseconds

_HEADER: Final = struct.Struct(">iiIii")
_SMALL: Final = struct.Struct(">ii")
_BIG: Final = struct.Struct(">iq")


class Array:
    """A one-dimensional array: elements as length and bytes, already joined."""

    __slots__ = ("data",)
    element_oid = 0

    def __init__(self, elements: Iterable[bytes]) -> None:
        items = list(elements)
        self.data = _HEADER.pack(1 if items else 0, 1, self.element_oid, *((len(items), 1) if items else (0, 0)))
        self.data = (self.data if items else self.data[:12]) + b"".join(items)


class Integers(Array):
    """`integer[]`."""

    element_oid = 23

    def __init__(self, values: Iterable[int]) -> None:
        pack = _SMALL.pack
        super().__init__(pack(4, value) for value in values)


class BigIntegers(Array):
    """`bigint[]`."""

    element_oid = 20

    def __init__(self, values: Iterable[int]) -> None:
        pack = _BIG.pack
        super().__init__(pack(8, value) for value in values)


class Amounts(Array):
    """`numeric[]` of whole numbers or nulls."""

    element_oid = 1700

    def __init__(self, values: Iterable[int | None]) -> None:
        super().__init__(NONE if value is None else encode_amount(value) for value in values)


class Moments(Array):
    """`timestamptz[]`."""

    element_oid = 1184

    def __init__(self, values: Iterable[datetime | None]) -> None:
        super().__init__(_spelled_moments(values))


def _spelled_moments(values: Iterable[datetime | None]) -> Iterator[bytes]:
    last, spelled = None, NONE
    for value in values:
        # Most of what a batch moves counts from one moment, that of the batch.
        if value is not last:
            last, spelled = value, NONE if value is None else _BIG.pack(8, microseconds(value))
        yield spelled


class Uuids(Array):
    """`uuid[]` of 16-byte ids or nulls."""

    element_oid = 2950

    def __init__(self, values: Iterable[bytes | None]) -> None:
        super().__init__(NONE if value is None else b"\x00\x00\x00\x10" + value for value in values)


class Blobs(Array):
    """`bytea[]` of bytes or nulls."""

    element_oid = 17

    def __init__(self, values: Iterable[bytes | None]) -> None:
        super().__init__(NONE if value is None else len(value).to_bytes(4) + value for value in values)


class Texts(Array):
    """`text[]`."""

    element_oid = 25

    def __init__(self, values: Iterable[str]) -> None:
        encoded = [value.encode() for value in values]
        super().__init__(len(value).to_bytes(4) + value for value in encoded)


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Any) -> bytes:
        data: bytes = obj.data
        return data


def _dumper(oid_: int) -> type[Dumper]:
    return type(f"ArrayDumper{oid_}", (_ArrayDumper,), {"oid": oid_})


_ARRAYS: Final[Sequence[tuple[type[Array], int]]] = (
    (Integers, 1007),
    (BigIntegers, 1016),
    (Amounts, 1231),
    (Moments, 1185),
    (Uuids, 2951),
    (Blobs, 1001),
    (Texts, 1009),
)


def register_arrays(connection: Connection[Any]) -> None:
    """Teach a driver connection to send these arrays."""
    for array, oid in _ARRAYS:
        connection.adapters.register_dumper(array, _dumper(oid))
