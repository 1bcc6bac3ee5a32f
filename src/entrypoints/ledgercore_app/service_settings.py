"""What the environment says about the HTTP service."""

import ipaddress
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from attrs import field, frozen
from attrs.converters import optional

from ledgercore.events.standard_webhooks import PREFIX as WEBHOOK_PREFIX
from ledgercore.events.standard_webhooks import SECRET_BYTES_MIN, is_secret
from ledgercore.identity.sessions import ACCESS_SECONDS, REFRESH_SECONDS
from ledgercore.ledger.names import check_ledger_name
from ledgercore.payments.limits import PaymentLimits, read_limits
from ledgercore.rate_limits import Quota
from ledgercore_app.settings import Settings, read_settings

NAME: Final = "ledger-bank-api"
OFF: Final = "off"
SECONDS_MAX: Final = 1_000_000_000
"""About 32 years."""
PER_SECOND_MAX: Final = 1_000_000
LANES_MAX: Final = 100
QUEUES: Final[Mapping[str, int]] = {"banking": 3, "payments": 2, "notifications": 3, "default": 1}
_NAMED_LANES: Final = "banking:3,payments:2"


def _path(text: str | Path) -> Path:
    return Path(text).expanduser()


def _whole(text: str | int) -> int:
    if isinstance(text, str) and not (text.isascii() and text.isdigit()):
        raise ValueError("a whole number is expected")
    return int(text)


def _text(text: str) -> str:
    if not text.isprintable():
        # Bytes that are no UTF-8 come out of the environment as such characters too.
        raise ValueError("printable text in UTF-8 is expected")
    return text


def _seconds(text: str | int) -> int:
    seconds = _whole(text)
    if not 1 <= seconds <= SECONDS_MAX:
        raise ValueError(f"from 1 to {SECONDS_MAX} seconds are expected")
    return seconds


def _environment(text: str) -> str:
    return _one_of(text, "development", "production")


def _rate_limits(text: str) -> str:
    return _one_of(text, "database", "memory", OFF)


def _webhook_secrets(text: str | tuple[str, ...]) -> tuple[str, ...]:
    secrets = _list(text)
    if any(len(secret.encode()) < SECRET_BYTES_MIN for secret in secrets):
        raise ValueError(f"secrets of at least {SECRET_BYTES_MIN} bytes are expected, joined by commas")
    if any(secret.startswith(WEBHOOK_PREFIX) and not is_secret(secret) for secret in secrets):
        raise ValueError(f"after {WEBHOOK_PREFIX} base64 of at least {SECRET_BYTES_MIN} bytes is expected")
    return secrets


def _private_addresses(text: str) -> str:
    return _one_of(text, "refused", "allowed")


def _log_level(text: str) -> str:
    return _one_of(text, "debug", "info", "warning", "error")


def _log_format(text: str) -> str:
    return _one_of(text, "json", "text")


def _one_of(text: str, *allowed: str) -> str:
    if text not in allowed:
        raise ValueError(f"one of {', '.join(allowed)} is expected")
    return text


def _list(text: str | tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(text, tuple):
        return text
    return tuple(part.strip() for part in _text(text).split(",") if part.strip())


def read_lanes(text: "str | Mapping[str, int]") -> Mapping[str, int]:
    """`banking:3,payments:2` are three threads for one queue and two for another."""
    if not isinstance(text, str):
        return text
    lanes = {}
    for part in _list(text):
        queue, colon, count = part.partition(":")
        if not (queue and colon and 1 <= _whole(count) <= LANES_MAX):
            raise ValueError(f"queue:threads is expected, such as {_NAMED_LANES}, with 1 to {LANES_MAX} threads")
        lanes[queue] = _whole(count)
    if not lanes:
        raise ValueError("at least one queue is expected")
    return lanes


def _networks(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(ipaddress.ip_network(network)) for network in _list(text))


def _quota(text: "str | Quota | None") -> Quota | None:
    """`100/60` is a hundred in sixty seconds; `off` does not count."""
    if not isinstance(text, str):
        return text
    if text == OFF:
        return None
    count, slash, seconds = text.partition("/")
    if not slash or not _whole(count):
        raise ValueError("requests/seconds is expected, such as 100/60, or off")
    quota = Quota(_whole(count), timedelta(seconds=_seconds(seconds)))
    if quota.limit > PER_SECOND_MAX * quota.period.total_seconds():
        raise ValueError(f"at most {PER_SECOND_MAX} a second can be counted; off does not count")
    return quota


def _payment_limits(text: str | PaymentLimits) -> PaymentLimits:
    return read_limits(text) if isinstance(text, str) else text


def _per_minute(count: int) -> Quota:
    return Quota(count, timedelta(minutes=1))


@frozen(kw_only=True)
class ServiceSettings:
    """What the service is told by its environment.

    `secret` signs tokens and seals what is kept; `previous_secrets` are still believed, so that it can be changed
    without logging anybody out. `token_key_file` holds an Ed25519 or P-256 private key in PEM, which then signs
    instead. Without any of them a database of our own keeps a secret beside its data.
    """

    environment: str = field(default="development", converter=_environment)
    secret: str | None = field(default=None, converter=optional(_text), repr=False)
    secret_file: Path | None = field(default=None, converter=optional(_path))
    previous_secrets: tuple[str, ...] = field(default=(), converter=_list, repr=False)
    token_key_file: Path | None = field(default=None, converter=optional(_path))
    token_issuer: str = field(default=NAME, converter=_text)
    token_audience: str = field(default=NAME, converter=_text)
    access_seconds: int = field(default=ACCESS_SECONDS, converter=_seconds)
    refresh_seconds: int = field(default=REFRESH_SECONDS, converter=_seconds)
    password_time_cost: int = field(default=2, converter=_whole)
    password_memory_kib: int = field(default=19_456, converter=_whole)
    bank_ledger: str = field(default="bank", converter=check_ledger_name)
    payment_limits: PaymentLimits = field(factory=PaymentLimits, converter=_payment_limits)
    payment_webhook_secret: tuple[str, ...] = field(default=(), converter=_webhook_secrets, repr=False)
    bank_webhook_secret: tuple[str, ...] = field(default=(), converter=_webhook_secrets, repr=False)
    fraud_webhook_secret: tuple[str, ...] = field(default=(), converter=_webhook_secrets, repr=False)
    private_addresses: str = field(default="refused", converter=_private_addresses)
    queues: Mapping[str, int] = field(default=QUEUES, converter=read_lanes)
    rate_limits: str = field(default="database", converter=_rate_limits)
    rate_per_address: Quota | None = field(factory=lambda: _per_minute(100), converter=_quota)
    rate_per_user: Quota | None = field(factory=lambda: _per_minute(1_000), converter=_quota)
    rate_per_token: Quota | None = field(factory=lambda: _per_minute(60_000), converter=_quota)
    rate_of_logins: Quota | None = field(factory=lambda: Quota(10, timedelta(minutes=5)), converter=_quota)
    trusted_proxies: tuple[str, ...] = field(default=(), converter=_networks)
    cors_origins: tuple[str, ...] = field(default=(), converter=_list)
    public_url: str = field(default="", converter=_text)
    bank_redirect_url: str = field(default="", converter=_text)
    log_level: str = field(default="info", converter=_log_level)
    log_format: str = field(default="json", converter=_log_format)
    trace_endpoint: str | None = field(default=None, converter=optional(_text))

    @property
    def allows_private_addresses(self) -> bool:
        """Whether webhooks and banks may be on this machine and its network; never where strangers may call."""
        return self.private_addresses == "allowed" and not self.production

    @property
    def production(self) -> bool:
        """Whether strangers may call: secrets must be long, and answers tell nothing of our insides."""
        return self.environment == "production"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "ServiceSettings":
        """Read the variables that begin with `LEDGERCORE_`; raises `configuration_error`."""
        return read_settings(cls, environment, beside=(Settings,))
