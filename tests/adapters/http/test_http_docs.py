"""The documentation over HTTP: pages, the OpenAPI document, and what the pages load."""

import gzip

import pytest

from ledgercore_http.pages.assets import CONTENT_TYPES, asset
from ledgercore_http.pages.html import PAGE_CSP

DOCUMENTS = ["/api/docs/openapi.json", "/api/v1/docs/openapi.json", "/openapi.json"]
PLAIN = {"accept-encoding": "identity"}


@pytest.mark.parametrize("path", ["/api/docs", "/api/v1/docs", "/docs", "/api/redoc", "/api/v1/redoc", "/redoc"])
def test_page_is_html_under_a_policy_of_its_own(anonymous, path):
    answer = anonymous.request("GET", path)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == PAGE_CSP
    assert ("redoc" if "redoc" in path else "swagger") in answer.text


@pytest.mark.parametrize("path", ["/api/docs", "/redoc"])
def test_everything_that_a_page_loads_is_there(anonymous, path):
    page = anonymous.request("GET", path).text

    loaded = [part.partition('"')[0] for part in page.split('"') if part.startswith("/")]
    assert len(loaded) >= 3
    for address in loaded:
        assert anonymous.request("GET", address).status_code == 200


@pytest.mark.parametrize("path", DOCUMENTS)
def test_document_is_the_same_everywhere(anonymous, path):
    answer = anonymous.request("GET", path)

    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["openapi"] == "3.1.0"
    assert answer.content == anonymous.request("GET", DOCUMENTS[0]).content


def test_document_goes_out_compressed_to_those_who_read_that(anonymous):
    compressed = anonymous.request("GET", DOCUMENTS[0], headers={"accept-encoding": "gzip"})
    plain = anonymous.request("GET", DOCUMENTS[0], headers=PLAIN)

    assert compressed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert plain.json() == compressed.json()
    assert compressed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("name", CONTENT_TYPES)
def test_asset_is_kept_by_browsers_and_known_again(anonymous, name):
    path = f"/api/docs/assets/{name}"
    first = anonymous.request("GET", path)

    again = anonymous.request("GET", path, headers={"if-none-match": first.headers["etag"]})
    assert first.headers["content-type"] == CONTENT_TYPES[name]
    assert first.headers["cache-control"] == "public, max-age=86400"
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"] == asset(name).etag


def test_asset_is_plain_for_those_who_do_not_read_gzip(anonymous):
    answer = anonymous.request("GET", "/api/docs/assets/swagger-ui.css", headers=PLAIN)

    assert answer.content == gzip.decompress(asset("swagger-ui.css").gzipped)
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("name", ["nothing.js", "swagger-ui.css.gz", "..%2fhtml.py", "VERSIONS.json", "%00"])
def test_nothing_else_is_given(anonymous, name):
    answer = anonymous.request("GET", f"/api/docs/assets/{name}")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/api/docs", "/openapi.json", "/api/docs/assets/swagger-ui.css"])
def test_other_methods_are_refused(anonymous, path):
    answer = anonymous.request("POST", path)

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
