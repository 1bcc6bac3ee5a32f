"""The whole application: all resources, the OpenAPI document and the pages that show it."""

from collections.abc import Sequence
from functools import cache

from litestar.handlers import HTTPRouteHandler

from ledgercore_http.docs_pages import docs_handlers
from ledgercore_http.edge import Edge
from ledgercore_http.openapi import openapi_document
from ledgercore_http.ports import Service
from ledgercore_http.resources.live_updates import live_handlers
from ledgercore_http.resources.table import TABLES
from ledgercore_http.routes import Routes
from ledgercore_http.serving import PREFIXES, application


def create_app(service: Service, tables: Sequence[Routes] = TABLES) -> Edge:
    """The ASGI application of a service; other tables than ours may stand beside ours, or in their place."""
    pages = _pages(tuple(tables), service.version, service.public_url)
    routes = [route for table in tables for route in table.table]
    return application(service, routes, [*pages, *live_handlers(service, PREFIXES)])


# The document is large and always the same; a process may make its application several times.
@cache
def _pages(tables: tuple[Routes, ...], version: str, public_url: str) -> Sequence[HTTPRouteHandler]:
    return docs_handlers(openapi_document(tables, version=version, public_url=public_url))
