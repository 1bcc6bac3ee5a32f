"""Bytes of a file as text, with every character kept."""

from collections.abc import Sequence
from typing import Final

# UTF-8 refuses almost every text that is something else, and Latin-1 takes any byte, so the order decides.
ENCODINGS: Final = ("utf-8-sig", "cp1252", "latin-1")


def decoded(data: bytes, encodings: Sequence[str] = ENCODINGS) -> str:
    """Read bytes by the first encoding that fits all of them; no character is replaced or dropped.

    Raises `ValueError` with the place of the first byte that the last encoding cannot read.
    """
    for encoding in encodings[:-1]:
        try:
            return data.decode(encoding)
        except UnicodeError:
            continue
    return data.decode(encodings[-1])


def lines_of(text: str) -> list[str]:
    """The lines as editors count them: `str.splitlines` would also break at separators inside a text."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
