"""A PostgreSQL server that starts with the program and needs no installation."""

from ledgercore_embedded.server import EmbeddedServer, attach, embedded_server

__all__ = ["EmbeddedServer", "attach", "embedded_server"]
