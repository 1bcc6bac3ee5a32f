"""What the HTTP service is handed by the composition root."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from attrs import field, frozen

from ledgercore.bank import Bank
from ledgercore.clock import Clock
from ledgercore.identity.identity import Identity
from ledgercore.identity.secrets import Sealer
from ledgercore.ledger.ports import Journal
from ledgercore.rate_limits import Quota, RateLimiter

Ask = TypeVar("Ask", contravariant=True)
Answer = TypeVar("Answer", covariant=True)
_Ask = TypeVar("_Ask")
_Answer = TypeVar("_Answer")


class Gathering(Protocol[Ask, Answer]):
    """Carries out asks together: those that arrive while some are carried out leave with the next."""

    def ask(self, ask: Ask) -> Awaitable[Answer]:
        """Carry out one; raises `service_overloaded` when too many wait already."""
        ...

    def close(self) -> None:
        """Carry out everything that was accepted, and nothing more."""
        ...


class Gather(Protocol):
    """Makes a gathering of some work."""

    def __call__(self, work: Callable[[list[_Ask]], Sequence[_Answer]]) -> Gathering[_Ask, _Answer]:
        """`work` gets asks in their order of arrival and gives one answer, or an exception, for each."""
        ...


class GatherPosts(Protocol):
    """Makes a gathering of a ledger's single posts."""

    def __call__(self, journal: Journal) -> Gathering[Any, Any]:
        """Asks are batch items, answers their outcomes."""
        ...


class Journals(Protocol):
    """The ledgers of the database."""

    def journal(self, name: str) -> Journal:
        """A ledger that is there; raises `ledger_not_found`."""
        ...


class Probe(Protocol):
    """Looks at what the service stands on; each check says ok, warning or error."""

    def ready(self) -> Mapping[str, str]:
        """Whether requests can be served: the database and its schema."""
        ...

    def detailed(self) -> Mapping[str, str]:
        """The same, and memory and disk."""
        ...


class Tracer(Protocol):
    """Opens spans; those opened inside a span are its children."""

    def span(self, name: str, /) -> AbstractContextManager[object]:
        """Make the block a span."""
        ...

    def continue_from(self, headers: Mapping[str, str], /) -> AbstractContextManager[None]:
        """Make spans of the block part of the trace that the headers name."""
        ...


class Telemetry(Protocol):
    """Logs, metrics and traces."""

    @property
    def tracer(self) -> Tracer:
        """Opens spans."""
        ...

    def correlated(self, correlation_id: str) -> AbstractContextManager[None]:
        """Put the id on every line that is logged in the block."""
        ...

    def request_started(self) -> None:
        """A request has come in."""
        ...

    def request_finished(
        self,
        method: str,
        route: str | None,
        status: int,
        seconds: float,
        *,
        correlation_id: str,
        principal_kind: str | None = None,
        reason: str | None = None,
        **fields: object,
    ) -> None:
        """A request was answered; `route` is the template that matched, if one did."""
        ...

    def request_broke(self, error: BaseException, *, correlation_id: str) -> None:
        """Something broke that nobody expected; its details are for the log alone."""
        ...


@frozen(kw_only=True)
class Limits:
    """How much a request may ask for. Sizes are in bytes, times in seconds; a quota that is `None` does not count."""

    url_bytes: int = 2_048
    header_bytes: int = 8_192
    body_bytes: int = 1_048_576
    batch_bytes: int = 16_777_216
    body_seconds: float = 20.0
    request_seconds: float = 30.0
    per_address: Quota | None = field(factory=lambda: Quota(100, timedelta(minutes=1)))
    per_user: Quota | None = field(factory=lambda: Quota(1_000, timedelta(minutes=1)))
    per_token: Quota | None = field(factory=lambda: Quota(60_000, timedelta(minutes=1)))
    logins: Quota | None = field(factory=lambda: Quota(10, timedelta(minutes=5)))


@frozen(kw_only=True)
class Service:
    """Everything that requests are served with.

    `trusted_proxies` are the networks whose `X-Forwarded-For` is believed. With `immediate` the stores
    answer from memory, so that looking there needs no thread. `fingerprint_key` is a secret of at most 64 bytes.
    `identity` and `bank` have one store.
    """

    identity: Identity
    bank: Bank
    journals: Journals
    limiter: RateLimiter
    sealer: Sealer
    clock: Clock
    random_bytes: Callable[[int], bytes]
    fingerprint_key: bytes = field(repr=False)
    executor: Executor
    gather: Gather
    gather_posts: GatherPosts
    telemetry: Telemetry
    render_metrics: Callable[[], bytes]
    probe: Probe
    version: str
    limits: Limits = field(factory=Limits)
    immediate: bool = False
    production: bool = False
    trusted_proxies: Sequence[str] = ()
    cors_origins: Sequence[str] = ()
    public_url: str = ""
