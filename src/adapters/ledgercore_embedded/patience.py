"""Waiting for something that sends no word when it happens."""

import time
from collections.abc import Iterator


def attempts(seconds_max: float) -> Iterator[None]:
    """Let the caller try at once, then ever less often, and a last time when the seconds are over.

    Pauses grow with the time waited, so a start of 100 ms is noticed within 10 ms, and one of a minute does
    not fill the server's log with refused connections.
    """
    started = time.monotonic()
    while True:
        yield
        waited = time.monotonic() - started
        if waited >= seconds_max:
            return
        time.sleep(min(0.25, 0.002 + waited / 10, seconds_max - waited))
