"""Webhooks that providers send us: signed, and taken once however often they come."""

from collections.abc import Callable
from typing import Final

from ledgercore.errors.catalog import UNAUTHORIZED, WEBHOOK_PROCESSING_FAILED
from ledgercore.events.received import Provider
from ledgercore.identity.access import PUBLIC
from ledgercore_http.answers import Answer
from ledgercore_http.call import Call
from ledgercore_http.routes import Body, Routes, Success
from ledgercore_http.schemas import webhooks as schemas
from ledgercore_http.schemas.identity import done

ROUTES = Routes("provider webhooks", "What payment providers, banks and fraud detection tell us, signed.")
DIRECT: Final = {Provider.PAYMENTS: "status", Provider.BANKS: "sync", Provider.FRAUD: "detection"}
"""The last part of the second path that each provider has."""


@ROUTES.route(
    "GET",
    "/webhooks",
    access=PUBLIC,
    success=Success(schema=schemas.PROVIDERS, example=schemas.PROVIDERS_EXAMPLE),
)
def list_providers(call: Call) -> Answer:
    """List the providers whose webhooks are taken, and where each sends them."""
    return call.answer([{"provider": provider.value, "path": f"/webhooks/{provider}"} for provider in Provider])


def _taking(provider: Provider) -> Callable[[Call], Answer]:
    def take(call: Call) -> Answer:
        """Take a webhook.

        Either `webhook-id`, `webhook-timestamp` and `webhook-signature` are as Standard Webhooks has them, or
        `x-webhook-signature` is `sha256=` and the HMAC-SHA256 of the body in hexadecimal digits, and the body has `id`
        and `timestamp`. The time may be five minutes from ours. Sent again under its id, a webhook does nothing more.
        """
        taken = call.bank.incoming_webhooks.take(
            provider,
            # A header that is there twice is none.
            headers={name: call.request.headers[name] for name in _single_names(call)},
            body=call.raw_body,
            correlation_id=call.correlation_id,
        )
        document = {"provider": provider.value, "webhook_id": taken.webhook.id, "duplicate": not taken.is_new}
        return call.answer(document, action="received")

    return take


def _single_names(call: Call) -> list[str]:
    return [name for name in call.request.headers if len(call.request.headers.getall(name)) == 1]


def _add(provider: Provider, path: str, name: str) -> None:
    take = _taking(provider)
    take.__name__ = name
    ROUTES.route(
        "POST",
        path,
        access=PUBLIC,
        body=Body(schema=schemas.REPORTS[provider], example=schemas.REPORT_EXAMPLES[provider]),
        success=Success(schema=schemas.TAKEN, example=schemas.TAKEN_EXAMPLE, metadata=done("received")),
        reasons=(UNAUTHORIZED, WEBHOOK_PROCESSING_FAILED),
    )(take)


for _provider in Provider:
    _add(_provider, f"/webhooks/{_provider}", f"take_{_provider}_webhook")
    _add(_provider, f"/webhooks/{_provider}/{DIRECT[_provider]}", f"take_{_provider}_{DIRECT[_provider]}")
