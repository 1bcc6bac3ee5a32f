"""XML that strangers send: bombs, lures and broken files are refused with the place where they stop making sense."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

import pytest

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import MALFORMED_STATEMENT
from ledgercore_statements import xml_documents
from ledgercore_statements.xml_documents import read_document

LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [
 <!ENTITY lol "lol">
 <!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
 <!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;">
 <!ENTITY lol4 "&lol3;&lol3;&lol3;&lol3;&lol3;&lol3;&lol3;&lol3;&lol3;&lol3;">
 <!ENTITY lol5 "&lol4;&lol4;&lol4;&lol4;&lol4;&lol4;&lol4;&lol4;&lol4;&lol4;">
]>
<lolz>&lol5;</lolz>"""
EXTERNAL = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
PARAMETER = b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://localhost:1/x.dtd"> %x;]><a/>'


def refusal_of(data: bytes) -> tuple[str, str]:
    with pytest.raises(ValidationError) as refused:
        read_document(data)
    assert refused.value.reason is MALFORMED_STATEMENT
    assert refused.value.details["format"] == "xml"
    return str(refused.value.details["position"]), str(refused.value.details["why"])


@pytest.mark.parametrize(
    "data",
    [
        LAUGHS,
        EXTERNAL,
        PARAMETER,
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a SYSTEM "a.dtd"><a/>',
        LAUGHS.decode().encode("utf-16"),
    ],
    ids=["billion laughs", "external entity", "parameter entity", "bare", "external type", "UTF-16"],
)
def test_a_document_type_is_refused_whatever_is_in_it(data: bytes) -> None:
    _, why = refusal_of(data)

    assert "document type" in why or "encoding" in why


@pytest.mark.parametrize("entity", [b"&lol;", b"&nbsp;", b"%x;&x;"])
def test_no_entity_is_known_but_those_of_xml(entity: bytes) -> None:
    position, why = refusal_of(b"<a>\n <b>" + entity + b"</b></a>")

    assert position.startswith("line 2, column ")
    assert why == "undefined entity"


def test_entities_of_xml_and_numbers_of_characters_are_read() -> None:
    assert read_document(b"<a>&lt;&amp;&#233;&#x20AC;</a>").text == "<&é€"


def test_elements_stand_64_deep_and_no_deeper() -> None:
    deepest = b"<a>" * 64 + b"</a>" * 64

    assert read_document(deepest).tag == "a"
    assert refusal_of(b"<a>" + deepest + b"</a>") == ("line 1, column 193", "elements stand more than 64 deep")
    assert refusal_of(b"<a>" * 1_000_000)[1] == "elements stand more than 64 deep"


@pytest.mark.parametrize(
    ("data", "position", "why"),
    [
        (b"", "line 1, column 1", "no element found"),
        (b"\n\n<a>", "line 3, column 4", "no element found"),
        (b"<a>\n</b>", "line 2, column 3", "mismatched tag"),
        (b"<a/><b/>", "line 1, column 5", "junk after document element"),
        (b"<a>\0</a>", "line 1, column 4", "not well-formed (invalid token)"),
        (b'<?xml version="1.0" encoding="utf-8"?><a>\xe9</a>', "line 1, column 42", "not well-formed (invalid token)"),
        (b"<a b='1' b='2'/>", "line 1, column 10", "duplicate attribute"),
    ],
)
def test_what_is_not_well_formed_is_named_by_line_and_column(data: bytes, position: str, why: str) -> None:
    assert refusal_of(data) == (position, why)


@pytest.mark.parametrize("encoding", ["nonsense", "big5", "base64", "utf-7", "utf-16", "x" * 500])
def test_an_encoding_that_is_unknown_or_a_lie_is_refused(encoding: str) -> None:
    position, _ = refusal_of(f'<?xml version="1.0" encoding="{encoding}"?><a>x</a>'.encode())

    assert position.startswith("line 1, column ")


@pytest.mark.parametrize(
    "data",
    [
        "\ufeff<?xml version='1.0' encoding='utf-8'?><a>é€</a>".encode(),
        "<?xml version='1.0' encoding='windows-1252'?><a>é€</a>".encode("cp1252"),
        "<?xml version='1.0' encoding='ISO-8859-15'?><a>é€</a>".encode("iso8859-15"),
        "<?xml version='1.0' encoding='utf-16'?><a>é€</a>".encode("utf-16"),
        "<a>é€</a>".encode(),
    ],
    ids=["UTF-8 with mark", "Windows-1252", "Latin-9", "UTF-16", "undeclared"],
)
def test_a_document_is_read_in_the_encoding_that_it_declares(data: bytes) -> None:
    assert read_document(data).text == "é€"


def test_the_root_has_to_begin_early() -> None:
    """What comes before it can hold nothing but a lure."""
    assert "no element begins" in refusal_of(b"<!--" + b"x" * 70_000 + b"--><a/>")[1]


def test_a_large_document_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_documents, "DOCUMENT_BYTES_MAX", 10)

    assert read_document(b"<a>123</a>").text == "123"
    assert refusal_of(b"<a>1234</a>") == ("byte 1", "11 bytes are more than 10")


def test_elements_in_memory_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that were handed over are not in memory any more."""
    monkeypatch.setattr(xml_documents, "ELEMENTS_MAX", 5)
    taken: list[str | None] = []

    assert "more than 5 elements" in refusal_of(b"<a><b/><b/><b/><b/><b/></a>")[1]
    root = read_document(b"<a>" + b"<b><c>x</c></b>" * 100 + b"</a>", lambda b, _: taken.append(b[0].text), names=["b"])

    assert len(taken) == 100
    assert list(root) == []


def test_elements_are_handed_over_with_those_they_stand_in() -> None:
    taken: list[tuple[str, str | None, list[str]]] = []

    def take(element: Element, around: Sequence[Element]) -> None:
        taken.append((element.tag, element.text, [each.tag for each in around]))

    root = read_document(b'<x:a xmlns:x="urn:x"><x:b><x:c>1</x:c>,<x:c>2</x:c></x:b><d/></x:a>', take, names=["c", "b"])

    assert taken == [("c", "1", ["a", "b"]), ("c", "2", ["a", "b"]), ("b", None, ["a"])]
    assert [child.tag for child in root] == ["d"]
    assert root.get("xmlns:x") == "urn:x"


def test_an_error_of_the_taker_is_passed_on() -> None:
    def take(element: Element, around: Sequence[Element]) -> None:
        raise ArithmeticError("mine")

    with pytest.raises(ArithmeticError, match="mine"):
        read_document(b"<a><b/></a>", take, names=["b"])
