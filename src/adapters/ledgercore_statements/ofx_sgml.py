"""The SGML of OFX 1: headers of its own, and elements with a text that need not be closed."""

import codecs
import re
from collections.abc import Iterator, Sequence
from typing import Final
from xml.etree.ElementTree import Element

from attrs import define, frozen

from ledgercore_statements.decoding import decoded
from ledgercore_statements.faults import malformed, quoted

OFX: Final = "ofx"
DEPTH_MAX: Final = 64
BYTES_MAX: Final = 64 * 1024 * 1024
TAGS_MAX: Final = 2_000_000
_CHARSET: Final = re.compile(rb"CHARSET:[ \t]*(?:ISO-?)?(125[0-8]|8859-(?:1[013456]|[1-9]))\b")
_HEAD_BYTES: Final = 2_048
_TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9._]*)[ \t]*>")
_ENTITY: Final = re.compile(r"&(?:(amp|lt|gt|quot|apos|nbsp)|#([0-9]{1,7})|#x([0-9a-fA-F]{1,6}));", re.ASCII)
_NAMED: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": " "}
# What holds what is read here has to be closed: what stands open at another's end must have been an empty text.
_AGGREGATES: Final = frozenset(
    (
        *("OFX", "BANKMSGSRSV1", "STMTTRNRS", "STMTRS", "BANKTRANLIST", "STMTTRN", "BANKTRANLISTP", "STMTTRNP"),
        *("CREDITCARDMSGSRSV1", "CCSTMTTRNRS", "CCSTMTRS", "BANKACCTFROM", "CCACCTFROM", "LEDGERBAL", "AVAILBAL"),
        *("INVSTMTMSGSRSV1", "INVSTMTTRNRS", "INVSTMTRS", "BANKACCTTO", "CCACCTTO", "CURRENCY", "ORIGCURRENCY"),
    )
)


@frozen
class _Tag:
    line: int
    name: str
    is_end: bool
    text: str


@define
class _Open:
    line: int
    element: Element


def read_sgml(data: bytes) -> Element:
    """Read the document below the headers.

    Raises `ValidationError` (`malformed_statement`) with the line of what is not closed, closes nothing, or
    stands more than 64 deep, and beyond 64 MiB or 2,000,000 tags.
    """
    if len(data) > BYTES_MAX:
        raise malformed(OFX, "byte 1", f"{len(data)} bytes are more than {BYTES_MAX}")
    around: list[_Open] = []
    root: Element | None = None
    for count, tag in enumerate(_tags(_text(data)), start=1):
        if count > TAGS_MAX:
            raise malformed(OFX, f"line {tag.line}", f"there are more than {TAGS_MAX} tags")
        if root is None:
            root = _root(tag)
            around.append(_Open(tag.line, root))
        elif not around:
            raise malformed(OFX, f"line {tag.line}", f"{quoted(tag.name)} stands after </OFX>")
        elif tag.is_end:
            _close(around, tag)
        else:
            _open(around, tag)
    if root is None:
        raise malformed(OFX, "line 1", "there is no <OFX>")
    if around:
        raise malformed(OFX, f"line {around[-1].line}", f"the file ends before </{around[-1].element.tag}>")
    return root


def _root(tag: _Tag) -> Element:
    if tag.is_end or tag.name != "OFX":
        raise malformed(OFX, f"line {tag.line}", f"{quoted(tag.name)} stands before <OFX>")
    return Element(tag.name)


def _open(around: list[_Open], tag: _Tag) -> None:
    element = Element(tag.name)
    around[-1].element.append(element)
    if tag.text:
        element.text = tag.text
        return
    if len(around) == DEPTH_MAX:
        raise malformed(OFX, f"line {tag.line}", f"elements stand more than {DEPTH_MAX} deep")
    around.append(_Open(tag.line, element))


def _close(around: list[_Open], tag: _Tag) -> None:
    """Close the element; what stands open in it was an empty text, and what follows that belongs beside it."""
    inner = around[-1].element
    if len(inner) and inner[-1].tag == tag.name and inner[-1].text and inner.tag != tag.name:
        return
    if all(each.element.tag != tag.name for each in around):
        raise malformed(OFX, f"line {tag.line}", f"</{tag.name}> closes nothing")
    while (last := around[-1]).element.tag != tag.name:
        if last.element.tag in _AGGREGATES:
            raise malformed(OFX, f"line {tag.line}", f"</{tag.name}> before </{last.element.tag}>")
        around.pop()
        beside = around[-1].element
        beside.extend(list(last.element))
        del last.element[:]
    around.pop()


def _tags(text: str) -> Iterator[_Tag]:
    """The tags from `<OFX>` on, each with the text behind it."""
    matches = _TAG.finditer(text)
    line, counted = 1, 0
    match = next(matches, None)
    while match is not None:
        following = next(matches, None)
        line += text.count("\n", counted, match.start())
        counted = match.start()
        content = text[match.end() : following.start() if following else len(text)].strip()
        yield _Tag(line, match[2].upper(), bool(match[1]), _ENTITY.sub(_character, content) if content else "")
        match = following


def _character(match: re.Match[str]) -> str:
    name, decimal, hexadecimal = match.groups()
    if name:
        return _NAMED[name]
    number = int(decimal) if decimal else int(hexadecimal, 16)
    # What is no character stays as it is written; surrogates could not be stored.
    return match[0] if not 0x20 <= number <= 0x10FFFF or 0xD800 <= number <= 0xDFFF else chr(number)


def _text(data: bytes) -> str:
    """The file as text. Headers of banks often tell another encoding than that of the file, but UTF-8 shows itself."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings: Sequence[str] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", _declared(data), "latin-1")
    try:
        text = decoded(data, encodings)
    except UnicodeDecodeError as error:
        raise malformed(OFX, f"byte {error.start + 1}", f"no text in {error.encoding}: {error.reason}") from error
    # Some banks fill up their lines or their files with null characters.
    return text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")


def _declared(data: bytes) -> str:
    declared = _CHARSET.search(data[:_HEAD_BYTES])
    return f"{'cp' if declared[1].startswith(b'125') else 'iso'}{declared[1].decode()}" if declared else "cp1252"
