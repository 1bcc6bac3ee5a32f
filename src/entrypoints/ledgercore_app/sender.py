"""What calls others over HTTP, made when it is first needed: most commands and processes never call anybody."""

from functools import cached_property
from typing import TYPE_CHECKING

from ledgercore.http_messages import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from ledgercore_outbound import AddressGuard, Outbound


class LazySender:
    """See the protocol `HttpSender`."""

    def __init__(self, guard: "AddressGuard") -> None:
        self._guard = guard

    def send(self, request: HttpRequest) -> HttpResponse:
        """See the protocol."""
        return self._outbound.send(request)

    @cached_property
    def _outbound(self) -> "Outbound":
        from ledgercore_outbound import Outbound

        return Outbound(guard=self._guard)
