"""What a client says to a bank, and what it hears: clients as generators of requests that are sent responses."""

from collections.abc import Generator
from typing import TypeAlias, TypeVar

from ledgercore.http_messages import HttpRequest, HttpResponse

Result = TypeVar("Result")

Exchange: TypeAlias = Generator[HttpRequest, HttpResponse, Result]
"""A conversation with a bank that ends in a result: it yields what to send and is sent what came back.

It raises errors from the catalog for answers that are refusals or cannot be read. Failing to get an answer at all is
thrown into it as `timeout` or `service_unavailable`.
"""
