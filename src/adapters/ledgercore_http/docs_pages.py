"""The documentation under its addresses: two pages, the OpenAPI document, and what the pages load."""

import gzip
import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from ledgercore_http.pages.assets import Asset, asset
from ledgercore_http.pages.html import PAGE_CSP, redoc_page, swagger_page

SWAGGER_PATHS: Final = ["/api/docs", "/api/v1/docs", "/docs"]
REDOC_PATHS: Final = ["/api/redoc", "/api/v1/redoc", "/redoc"]
DOCUMENT_PATHS: Final = ["/api/docs/openapi.json", "/api/v1/docs/openapi.json", "/openapi.json"]
ASSETS_PATH: Final = "/api/docs/assets"
# Names of assets stay the same from version to version, so a browser asks again after a day.
ASSET_CACHING: Final = "public, max-age=86400"
DOCUMENT_CACHING: Final = "no-cache"

_Request = Request[Any, Any, Any]


def docs_handlers(document: Mapping[str, Any]) -> list[HTTPRouteHandler]:
    """The handlers that show a document and serve it."""
    data = msgspec.json.encode(document)
    compressed = gzip.compress(data, mtime=0)
    openapi = Asset(content_type="application/json", gzipped=compressed, etag=f'"{hashlib.sha256(data).hexdigest()}"')
    swagger, redoc = (page(DOCUMENT_PATHS[0], ASSETS_PATH) for page in (swagger_page, redoc_page))

    @get(SWAGGER_PATHS, name="swagger")
    async def show_swagger() -> Response[bytes]:
        return _page(swagger)

    @get(REDOC_PATHS, name="redoc")
    async def show_redoc() -> Response[bytes]:
        return _page(redoc)

    @get(DOCUMENT_PATHS, name="openapi")
    async def give_document(request: _Request) -> Response[bytes]:
        return _file(request, openapi, DOCUMENT_CACHING)

    @get(f"{ASSETS_PATH}/{{name:str}}", name="docs_asset")
    async def give_asset(request: _Request) -> Response[bytes]:
        return _file(request, asset(request.path_params["name"]), ASSET_CACHING)

    return [show_swagger, show_redoc, give_document, give_asset]


def _page(page: bytes) -> Response[bytes]:
    return Response(page, media_type="text/html", headers={"Content-Security-Policy": PAGE_CSP})


def _file(request: _Request, file: Asset, caching: str) -> Response[bytes]:
    """A file, compressed for those who read that; the tag names the compressed form only."""
    headers = {"Cache-Control": caching, "Vary": "Accept-Encoding"}
    # The framework itself says which charset a text has.
    content_type = file.content_type.partition(";")[0]
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(gzip.decompress(file.gzipped), media_type=content_type, headers=headers)
    headers["ETag"] = file.etag
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    headers["Content-Encoding"] = "gzip"
    return Response(file.gzipped, media_type=content_type, headers=headers)
