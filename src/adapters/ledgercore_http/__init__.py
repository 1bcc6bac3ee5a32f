"""The HTTP service, on Litestar: a table of routes, the one way that requests take through it, and its document."""

from ledgercore_http.ports import Limits, Service
from ledgercore_http.service import create_app

__all__ = ["Limits", "Service", "create_app"]
