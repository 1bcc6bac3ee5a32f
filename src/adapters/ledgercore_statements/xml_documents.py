"""XML of strangers: no document type, no entities, bounded in size and depth, and never more in memory than needed."""

from collections.abc import Callable, Collection, Sequence
from typing import Final, TypeAlias
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ledgercore.errors import ValidationError
from ledgercore_statements.faults import malformed, quoted

XML: Final = "xml"
DOCUMENT_BYTES_MAX: Final = 64 * 1024 * 1024
DEPTH_MAX: Final = 64
# The root begins within these bytes, so that a document type that is a bomb is refused before much of it is read.
PROLOG_BYTES_MAX: Final = 65_536
ELEMENTS_MAX: Final = 2_000_000
Taker: TypeAlias = Callable[[Element, Sequence[Element]], None]


def read_document(
    data: bytes, take: Taker | None = None, *, names: Collection[str] = (), file_format: str = XML
) -> Element:
    """Read a document; elements have their names without the prefix of a namespace.

    Each element with one of the names is handed to `take` as soon as it ends, with those that it stands in, the
    root first, and is left out of the result: a large file is never a large tree. Declarations of namespaces stay
    attributes of the elements that make them. Raises `ValidationError` (`malformed_statement`) with line and column
    for what is not well-formed, for a document type, and beyond 64 MiB, 64 levels or 2,000,000 elements at once.
    """
    if len(data) > DOCUMENT_BYTES_MAX:
        raise malformed(file_format, "byte 1", f"{len(data)} bytes are more than {DOCUMENT_BYTES_MAX}")
    return _Reading(take, names, file_format).read(data)


class _Reading:
    def __init__(self, take: Taker | None, names: Collection[str], file_format: str) -> None:
        self._take = take
        self._names = frozenset(names)
        self._format = file_format
        self._builder = TreeBuilder()
        self._open: list[Element] = []
        self._begun = 0
        self._begun_before: list[int] = []
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse_document_type
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._builder.data

    def read(self, data: bytes) -> Element:
        try:
            self._parser.Parse(data[:PROLOG_BYTES_MAX], False)
            if self._begun == 0 and len(data) > PROLOG_BYTES_MAX:
                raise self._malformed(f"no element begins within {PROLOG_BYTES_MAX} bytes")
            self._parser.Parse(memoryview(data)[PROLOG_BYTES_MAX:], True)
        except expat.ExpatError as error:
            position = f"line {error.lineno}, column {error.offset + 1}"
            raise malformed(self._format, position, expat.ErrorString(error.code) or str(error)) from error
        except (ValueError, LookupError) as error:
            raise self._malformed(f"its characters cannot be read: {error}") from error
        return self._builder.close()

    # These two run for every element of a file: they are a third of the time that reading it takes.
    def _start(self, name: str, attributes: dict[str, str]) -> None:
        around = self._open
        if len(around) >= DEPTH_MAX:
            raise self._malformed(f"elements stand more than {DEPTH_MAX} deep")
        if self._begun >= ELEMENTS_MAX:
            raise self._malformed(f"there are more than {ELEMENTS_MAX} elements")
        if ":" in name:
            name = name.rpartition(":")[2]
        if name in self._names:
            self._begun_before.append(self._begun)
        self._begun += 1
        around.append(self._builder.start(name, attributes))

    def _end(self, _: str) -> None:
        around = self._open
        element = around.pop()
        self._builder.end(element.tag)
        if element.tag in self._names and self._take is not None:
            self._begun = self._begun_before.pop()
            if around:
                del around[-1][-1]
            self._take(element, around)

    def _refuse_document_type(self, name: str, *_: object) -> None:
        raise self._malformed(f"a document type ({quoted(name)}) is not allowed")

    def _malformed(self, why: str) -> ValidationError:
        parser = self._parser
        return malformed(self._format, f"line {parser.CurrentLineNumber}, column {parser.CurrentColumnNumber + 1}", why)
