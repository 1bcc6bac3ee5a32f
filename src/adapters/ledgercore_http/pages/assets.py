"""Scripts and styles of the documentation pages: read once, sent compressed."""

import gzip
import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

from attrs import frozen

from ledgercore.errors import NotFoundError
from ledgercore.errors.catalog import NOT_FOUND

_SCRIPT: Final = "text/javascript; charset=utf-8"
_STYLE: Final = "text/css; charset=utf-8"

# Those of others are kept compressed (tools/fetch_docs_assets.py), our own as they are.
CONTENT_TYPES: Final = {
    "redoc-init.js": _SCRIPT,
    "redoc.standalone.js": _SCRIPT,
    "swagger-init.js": _SCRIPT,
    "swagger-ui-bundle.js": _SCRIPT,
    "swagger-ui.css": _STYLE,
}


@frozen(kw_only=True)
class Asset:
    """A file that a page loads; `gzipped` goes out with `Content-Encoding: gzip`, `etag` as it is."""

    content_type: str
    gzipped: bytes
    etag: str


@cache
def asset(name: str) -> Asset:
    """The asset of this name; raises `not_found` for any that the pages do not load."""
    if name not in CONTENT_TYPES:
        raise NotFoundError(NOT_FOUND)
    folder = files("ledgercore_http.pages") / "assets"
    kept = folder / f"{name}.gz"
    gzipped = kept.read_bytes() if kept.is_file() else gzip.compress((folder / name).read_bytes(), mtime=0)
    return Asset(
        content_type=CONTENT_TYPES[name],
        gzipped=gzipped,
        etag=f'"{hashlib.sha256(gzipped).hexdigest()[:32]}"',
    )
