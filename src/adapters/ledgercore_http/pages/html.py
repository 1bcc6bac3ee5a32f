"""The documentation pages: nothing but what to load, without a script or style of their own."""

from html import escape
from typing import Final

# Both lay out their elements with styles of the moment, which only 'unsafe-inline' allows; ReDoc searches in a
# worker that it makes from a blob. Its maker's logo, the one thing it would fetch from elsewhere, is refused.
PAGE_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; worker-src blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
{head}
</head>
<body>
<div id="docs" data-openapi-url="{openapi_url}"></div>
</body>
</html>
"""


def swagger_page(openapi_url: str, assets_base: str) -> bytes:
    """Swagger UI for the document at `openapi_url`, with its assets below `assets_base`."""
    return _page(
        "API reference (Swagger UI)",
        openapi_url,
        assets_base,
        styles=["swagger-ui.css"],
        scripts=["swagger-ui-bundle.js", "swagger-init.js"],
    )


def redoc_page(openapi_url: str, assets_base: str) -> bytes:
    """ReDoc for the document at `openapi_url`, with its assets below `assets_base`."""
    return _page(
        "API reference (ReDoc)", openapi_url, assets_base, styles=[], scripts=["redoc.standalone.js", "redoc-init.js"]
    )


def _page(title: str, openapi_url: str, assets_base: str, *, styles: list[str], scripts: list[str]) -> bytes:
    base = escape(assets_base.rstrip("/"))
    links = [f'<link rel="stylesheet" href="{base}/{name}">' for name in styles]
    # Deferred scripts run in this order, when the page is there.
    loads = [f'<script src="{base}/{name}" defer></script>' for name in scripts]
    return _PAGE.format(title=title, head="\n".join([*links, *loads]), openapi_url=escape(openapi_url)).encode()
