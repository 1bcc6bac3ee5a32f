"""Telling others of new transactions: registered addresses, and deliveries in the background."""

import contextlib
import json
import time
import urllib.request
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final

from attrs import define, field, frozen

from ledgercore_sandbox.generating import Names

ATTEMPTS: Final = 5
FIRST_PAUSE_SECONDS: Final = 0.1
TIMEOUT_SECONDS: Final = 5


@frozen(kw_only=True)
class Webhook:
    """An address that hears of an account's transactions."""

    id: str
    account_id: str
    url: str


@define
class Webhooks:
    """The registered addresses, and the one thread that delivers to them, started by the first delivery."""

    names: Names
    registered: dict[str, Webhook] = field(factory=dict)
    _deliveries: SimpleQueue[tuple[str, bytes]] = field(factory=SimpleQueue)
    _courier: Thread | None = None

    def register(self, account_id: str, url: str) -> Webhook:
        """Deliver to an address from now on."""
        webhook = Webhook(id=self.names.short("webhook"), account_id=account_id, url=url)
        self.registered[webhook.id] = webhook
        return webhook

    def of_account(self, account_id: str) -> list[Webhook]:
        """Where an account's transactions are told."""
        return [webhook for webhook in self.registered.values() if webhook.account_id == account_id]

    def tell(self, account_id: str, event: Any) -> None:
        """Deliver an event to everyone who listens, as soon as may be; in order, at most five attempts each."""
        body = json.dumps(event).encode()
        for webhook in self.of_account(account_id):
            self._deliveries.put((webhook.url, body))
            if self._courier is None:
                # Ends with the process: what is not delivered by then is lost, as the sandbox is.
                self._courier = Thread(target=self._deliver, name="sandbox-webhooks", daemon=True)
                self._courier.start()

    def _deliver(self) -> None:
        while True:
            url, body = self._deliveries.get()
            for attempt in range(ATTEMPTS):
                if _post(url, body):
                    break
                time.sleep(FIRST_PAUSE_SECONDS * 2**attempt)


def _post(url: str, body: bytes) -> bool:
    with contextlib.suppress(OSError, ValueError):
        request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return bool(200 <= answer.status < 300)
    return False
