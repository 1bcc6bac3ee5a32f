"""Waking those who wait for work."""

import threading


class Bell:
    """Rings for everybody who waits, and for whoever has not heard the last ring yet."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rings = 0

    def ring(self) -> None:
        """Wake everybody."""
        with self._condition:
            self._rings += 1
            self._condition.notify_all()

    def heard(self) -> int:
        """How often it has rung so far."""
        with self._condition:
            return self._rings

    def wait(self, heard: int, seconds: float) -> None:
        """Wait until it rings once more than was heard, at most so long."""
        with self._condition:
            self._condition.wait_for(lambda: self._rings != heard, seconds)
