"""Physical lines of a file of any size, decoded piece by piece, each knowing whether it could be."""

import codecs
from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from typing import Final

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import INVALID_ARGUMENT, INVALID_CSV, INVALID_ENCODING

LINE_BYTES_MAX: Final = 16 * 1024 * 1024
UTF_8: Final = "utf-8"
_BOM: Final = codecs.BOM_UTF8


class Undecodable(str):
    """A line with bytes that its encoding does not have; they are kept as lone surrogates.

    `first_byte` is the place of the first of them in the file, from 0.
    """

    __slots__ = ("first_byte",)
    first_byte: int


def nothing(_: int) -> None:
    """Take no notice of progress."""


def check_encoding(name: str) -> str:
    """The name of an encoding of text; raises `invalid_argument` for any other name."""
    try:
        "\n".encode(name)
    except (LookupError, UnicodeError, TypeError, ValueError) as error:
        raise ValidationError(
            INVALID_ARGUMENT, field="encoding", value=shortened(name), why="no text encoding has this name"
        ) from error
    return name


def physical_lines(
    chunks: Iterable[bytes], *, encoding: str = UTF_8, advance: Callable[[int], None] = nothing
) -> Iterator[str]:
    r"""Each line with its `\n`, in order; only `\n` ends a line, so that quoted breaks can be told apart.

    A byte order mark at the beginning is passed over. A line that cannot be decoded comes as
    `Undecodable`, and those after it are unharmed; in an encoding whose line feeds are not single
    bytes, such as UTF-16, the rest cannot be found again and `invalid_encoding` is raised.
    `advance` is told the size of each chunk after its lines have been read. Raises
    `invalid_csv` for a line of more than 16 MiB.
    """
    check_encoding(encoding)
    if "\n".encode(encoding) != b"\n":
        yield from _wide_lines(chunks, encoding, advance)
        return
    offset = 0
    rest = b""
    for chunk in chunks:
        block, end, after = chunk.rpartition(b"\n")
        if not end:
            rest += chunk
            _check_length(rest, offset)
        else:
            block = rest + block + end
            yield from _decoded(block, encoding, offset)
            offset += len(block)
            rest = after
        advance(len(chunk))
    if rest:
        yield from _decoded(rest, encoding, offset)


def encoding_refused(text: Undecodable, /, encoding: str, **details: object) -> ValidationError:
    """The error that names the first byte which cannot be read."""
    return ValidationError(INVALID_ENCODING, byte=text.first_byte, encoding=encoding, **details)


def _decoded(block: bytes, encoding: str, offset: int) -> Iterator[str]:
    if not offset and block.startswith(_BOM):
        block = block[len(_BOM) :]
        offset = len(_BOM)
    try:
        text = block.decode(encoding)
    except UnicodeDecodeError:
        for line in _split(block):
            yield _line(line, encoding, offset)
            offset += len(line)
    else:
        yield from StringIO(text, newline="\n")


def _split(block: bytes) -> Iterator[bytes]:
    *lines, last = block.split(b"\n")
    for line in lines:
        yield line + b"\n"
    if last:
        yield last


def _line(line: bytes, encoding: str, offset: int) -> str:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError as error:
        kept = Undecodable(line.decode("ascii", "surrogateescape"))
        kept.first_byte = offset + error.start
        return kept


def _wide_lines(chunks: Iterable[bytes], encoding: str, advance: Callable[[int], None]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    offset = 0
    rest = ""
    for chunk in _ended(chunks):
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            raise ValidationError(
                INVALID_ENCODING, byte=max(offset + error.start, 0), encoding=encoding, why=error.reason
            ) from error
        *lines, rest = f"{rest}{text}".split("\n")
        _check_length(rest, offset)
        for line in lines:
            yield f"{line}\n"
        offset += len(chunk)
        advance(len(chunk))
    if rest:
        yield rest


def _ended(chunks: Iterable[bytes]) -> Iterator[bytes]:
    yield from chunks
    yield b""


def _check_length(rest: bytes | str, offset: int) -> None:
    if len(rest) > LINE_BYTES_MAX:
        raise ValidationError(
            INVALID_CSV, byte=offset, why=f"a line of more than {LINE_BYTES_MAX} bytes; is this a text file?"
        )
