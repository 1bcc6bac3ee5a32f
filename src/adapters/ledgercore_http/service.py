"""The whole application: all resources, the OpenAPI document and the pages that show it."""

from collections.abc import Sequence

from ledgercore_http.docs_pages import docs_handlers
from ledgercore_http.edge import Edge
from ledgercore_http.openapi import openapi_document
from ledgercore_http.ports import Service
from ledgercore_http.resources.table import TABLES
from ledgercore_http.routes import Routes
from ledgercore_http.serving import application


def create_app(service: Service, tables: Sequence[Routes] = TABLES) -> Edge:
    """The ASGI application of a service; other tables than ours may stand beside ours, or in their place."""
    document = openapi_document(tables, version=service.version, public_url=service.public_url)
    routes = [route for table in tables for route in table.table]
    return application(service, routes, docs_handlers(document))
