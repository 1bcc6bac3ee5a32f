"""One cause of failure: the unit of the catalog."""

from typing import Final

from attrs import field, frozen

from ledgercore.errors.category import Category, DeadLetter, Policy

TYPE_URI_BASE: Final = "https://ledgercore.dev/problems/"


@frozen
class Reason:
    """A cause of failure that callers can tell apart by its code.

    The category decides how to react. `status` and `retryable` are given only where a reason departs
    from its category: protocol reasons have HTTP statuses of their own (405, 413, 415, 429), and a
    server that is set up wrongly is not mended by trying again.
    """

    code: str
    category: Category
    title: str
    status: int | None = field(default=None, kw_only=True)
    retryable_override: bool | None = field(default=None, kw_only=True, alias="retryable")
    description: str = field(default="", kw_only=True)

    @property
    def http_status(self) -> int:
        """The HTTP status of a response that reports this reason."""
        return self.category.http_status if self.status is None else self.status

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed when it is sent again unchanged."""
        return self.category.retryable if self.retryable_override is None else self.retryable_override

    @property
    def breaks_circuit(self) -> bool:
        """Whether a circuit breaker counts this failure against the service called."""
        return self.category.breaks_circuit

    @property
    def retries_max(self) -> int:
        """How many times to try again after the first attempt."""
        return self._schedule.retries_max

    @property
    def retry_delay_ms(self) -> int:
        """Milliseconds to wait before the first retry."""
        return self._schedule.retry_delay_ms

    @property
    def retry_factor(self) -> int:
        """By how much each wait is longer than the one before."""
        return self._schedule.retry_factor

    @property
    def dead_letter(self) -> DeadLetter:
        """When a job that fails for this reason is given up."""
        return self._schedule.dead_letter

    @property
    def type_uri(self) -> str:
        """The problem type of RFC 9457: a stable address that names the reason."""
        return TYPE_URI_BASE + self.code

    @property
    def _schedule(self) -> Policy:
        # A reason that departs from its category needs waits that fit: those of an outage, or none.
        if self.retryable == self.category.retryable:
            return self.category.policy
        return (Category.EXTERNAL_DEPENDENCY if self.retryable else Category.VALIDATION).policy
