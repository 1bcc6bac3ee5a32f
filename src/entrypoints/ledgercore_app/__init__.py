"""Composition roots: the programs and the library's front door, made of the core and its adapters."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ledgercore_app.library import Ledgers as Ledgers
    from ledgercore_app.library import connect as connect

__all__ = ["Ledgers", "connect"]


def __getattr__(name: str) -> Any:
    # Loaded on first use: the command line imports this package to show its help.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ledgercore_app import library

    return getattr(library, name)
