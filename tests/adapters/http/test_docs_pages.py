"""The documentation pages: what they load is here, whole, and from us alone."""

import gzip
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from ledgercore.errors import NotFoundError
from ledgercore_http.pages.assets import CONTENT_TYPES, asset
from ledgercore_http.pages.html import PAGE_CSP, redoc_page, swagger_page

FOLDER = files("ledgercore_http.pages") / "assets"
PACKAGES = json.loads((FOLDER / "VERSIONS.json").read_text(encoding="utf-8"))
PAGES = [swagger_page, redoc_page]


class Elements(HTMLParser):
    """Every element of a page with its attributes, and every text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data.strip())


@pytest.mark.parametrize("name", CONTENT_TYPES)
def test_every_asset_is_there_and_compressed(name):
    found = asset(name)

    assert len(gzip.decompress(found.gzipped)) > 100
    assert found.content_type.startswith("text/css" if name.endswith(".css") else "text/javascript")
    assert re.fullmatch(r'"[0-9a-f]{32}"', found.etag)


def test_assets_are_read_once():
    assert asset("swagger-ui.css") is asset("swagger-ui.css")


def test_tags_tell_assets_apart():
    assert len({asset(name).etag for name in CONTENT_TYPES}) == len(CONTENT_TYPES)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "VERSIONS.json",
        "../html.py",
        "swagger-ui.css.gz",
        "swagger-ui.LICENSE",
        "a/../swagger-ui.css",
        "\0",
    ],
)
def test_nothing_else_is_served(name):
    with pytest.raises(NotFoundError) as refusal:
        asset(name)

    assert refusal.value.code == "not_found"


@pytest.mark.parametrize(
    ("name", "digest"), [(name, digest) for package in PACKAGES for name, digest in package["sha256"].items()]
)
def test_foreign_files_are_those_of_the_named_versions_unchanged(name, digest):
    assert hashlib.sha256(gzip.decompress(asset(name).gzipped)).hexdigest() == digest


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package["name"])
def test_version_is_also_in_the_files_themselves(package):
    texts = [gzip.decompress(asset(name).gzipped).decode() for name in package["sha256"]]

    assert any(package["version"] in text for text in texts)


def test_every_foreign_file_is_described_and_compressed_without_a_time():
    kept = {each.name.removesuffix(".gz"): each for each in FOLDER.iterdir() if each.name.endswith(".gz")}

    assert kept.keys() == {name for package in PACKAGES for name in package["sha256"]}
    assert all(each.read_bytes()[4:8] == bytes(4) for each in kept.values())


@pytest.mark.parametrize(
    ("licence", "words"),
    [
        ("swagger-ui.LICENSE", "Apache License"),
        ("swagger-ui.NOTICE", "SmartBear"),
        ("swagger-ui-bundle.js.LICENSE.txt", "license"),
        ("redoc.LICENSE", "MIT"),
        ("redoc.standalone.js.LICENSE.txt", "MIT"),
        ("redoc.worker.js.LICENSE.txt", "MIT"),
    ],
)
def test_licences_lie_beside_what_they_are_for(licence, words):
    assert words in (FOLDER / licence).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_page_loads_only_assets_of_ours(page):
    elements = Elements(page("/api/docs/openapi.json", "/api/docs/assets/"))

    loaded = [attributes.get("src") or attributes.get("href") for _, attributes in elements.found]
    addresses = [address for address in loaded if address and address != "data:,"]
    assert addresses
    assert all(address.removeprefix("/api/docs/assets/") in CONTENT_TYPES for address in addresses)


@pytest.mark.parametrize("page", PAGES)
def test_page_has_no_script_style_or_handler_of_its_own(page):
    elements = Elements(page("/openapi.json", "/assets"))

    assert not any(tag == "style" or "style" in attributes for tag, attributes in elements.found)
    assert not any(name.startswith("on") for _, attributes in elements.found for name in attributes)
    assert all("src" in attributes for tag, attributes in elements.found if tag == "script")
    assert [text for text in elements.texts if text] == [text for text in elements.texts if "API reference" in text]


@pytest.mark.parametrize("page", PAGES)
def test_addresses_cannot_break_out_of_the_page(page):
    hostile = "/x\"'><script>alert(1)</script>&y"

    elements = Elements(page(hostile, hostile))

    [place] = [attributes for tag, attributes in elements.found if tag == "div"]
    assert place["data-openapi-url"] == hostile
    assert sum(tag == "script" for tag, _ in elements.found) == 2


def test_policy_lets_nothing_in_from_elsewhere():
    policy = dict(directive.split(" ", 1) for directive in PAGE_CSP.split("; "))

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    allowed = {source for sources in policy.values() for source in sources.split()}
    assert allowed == {"'none'", "'self'", "'unsafe-inline'", "data:", "blob:"}
