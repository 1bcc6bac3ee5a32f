"""What the environment says about the HTTP service."""

from datetime import timedelta
from pathlib import Path

import pytest

from ledgercore.errors import InternalError
from ledgercore.rate_limits import Quota
from ledgercore_app.service_settings import ServiceSettings
from ledgercore_app.settings import Settings

STANDARD = "whsec_" + "QUJD" * 11


def test_without_variables_a_developer_is_served():
    """On rates that are counted, and tokens that live for minutes."""
    settings = ServiceSettings.from_environment({"HOME": "/home/ann", "LEDGERCORE_SECRET": ""})

    assert settings == ServiceSettings()
    assert not settings.production
    assert (settings.access_seconds, settings.refresh_seconds) == (900, 604_800)
    assert (settings.password_time_cost, settings.password_memory_kib) == (2, 19_456)
    assert settings.rate_per_address == Quota(100, timedelta(minutes=1))
    assert settings.rate_of_logins == Quota(10, timedelta(minutes=5))
    assert settings.queues == {"banking": 3, "payments": 2, "notifications": 3, "default": 1}


def test_each_variable_sets_what_its_name_says():
    """Lists are separated by commas, with or without spaces."""
    settings = ServiceSettings.from_environment(
        {
            "LEDGERCORE_ENVIRONMENT": "production",
            "LEDGERCORE_SECRET": "a secret",
            "LEDGERCORE_SECRET_FILE": "~/secret",
            "LEDGERCORE_PREVIOUS_SECRETS": "one, two,",
            "LEDGERCORE_TOKEN_KEY_FILE": "/keys/token.pem",
            "LEDGERCORE_TOKEN_ISSUER": "bank",
            "LEDGERCORE_TOKEN_AUDIENCE": "tills",
            "LEDGERCORE_ACCESS_SECONDS": "60",
            "LEDGERCORE_REFRESH_SECONDS": "3600",
            "LEDGERCORE_PASSWORD_TIME_COST": "3",
            "LEDGERCORE_PASSWORD_MEMORY_KIB": "65536",
            "LEDGERCORE_QUEUES": "payments:4, default:1",
            "LEDGERCORE_RATE_LIMITS": "memory",
            "LEDGERCORE_RATE_PER_ADDRESS": "5/1",
            "LEDGERCORE_RATE_PER_USER": "off",
            "LEDGERCORE_RATE_PER_TOKEN": "1000000/1",
            "LEDGERCORE_RATE_OF_LOGINS": "3/3600",
            "LEDGERCORE_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
            "LEDGERCORE_CORS_ORIGINS": "https://a.example,https://b.example",
            "LEDGERCORE_PUBLIC_URL": "https://bank.example",
            "LEDGERCORE_LOG_LEVEL": "warning",
            "LEDGERCORE_LOG_FORMAT": "text",
            "LEDGERCORE_TRACE_ENDPOINT": "http://collector:4318",
        }
    )

    assert settings.production
    assert settings == ServiceSettings(
        environment="production",
        secret="a secret",
        secret_file=Path.home() / "secret",
        previous_secrets=("one", "two"),
        token_key_file=Path("/keys/token.pem"),
        token_issuer="bank",
        token_audience="tills",
        access_seconds=60,
        refresh_seconds=3_600,
        password_time_cost=3,
        password_memory_kib=65_536,
        queues={"payments": 4, "default": 1},
        rate_limits="memory",
        rate_per_address=Quota(5, timedelta(seconds=1)),
        rate_per_user=None,
        rate_per_token=Quota(1_000_000, timedelta(seconds=1)),
        rate_of_logins=Quota(3, timedelta(hours=1)),
        trusted_proxies=("10.0.0.0/8", "::1/128"),
        cors_origins=("https://a.example", "https://b.example"),
        public_url="https://bank.example",
        log_level="warning",
        log_format="text",
        trace_endpoint="http://collector:4318",
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ENVIRONMENT", "prod"),
        ("SECRET", "not\udcff text"),
        ("PREVIOUS_SECRETS", "not\udcff text"),
        ("TOKEN_ISSUER", "\udcff"),
        ("ACCESS_SECONDS", "0"),
        ("ACCESS_SECONDS", "1.5"),
        ("ACCESS_SECONDS", "-5"),
        ("ACCESS_SECONDS", "٣"),
        ("REFRESH_SECONDS", "1000000001"),
        ("REFRESH_SECONDS", "9" * 5_000),
        ("PASSWORD_TIME_COST", "high"),
        ("QUEUES", ","),
        ("QUEUES", "payments"),
        ("QUEUES", ":3"),
        ("QUEUES", "payments:0"),
        ("QUEUES", "payments:101"),
        ("QUEUES", "payments:two"),
        ("RATE_LIMITS", "on"),
        ("RATE_PER_ADDRESS", "100"),
        ("RATE_PER_ADDRESS", "100/"),
        ("RATE_PER_ADDRESS", "/60"),
        ("RATE_PER_ADDRESS", "0/60"),
        ("RATE_PER_USER", "100/0"),
        ("RATE_PER_USER", "1000001/1"),
        ("RATE_PER_TOKEN", "1/99999999999999999999"),
        ("RATE_OF_LOGINS", "1/1/1"),
        ("TRUSTED_PROXIES", "localhost"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("PAYMENT_WEBHOOK_SECRET", "short"),
        ("BANK_WEBHOOK_SECRET", "long enough to be a secret,short"),
        ("FRAUD_WEBHOOK_SECRET", "whsec_but this is no base64 at all"),
        ("PRIVATE_ADDRESSES", "yes"),
        ("LOG_LEVEL", "trace"),
        ("LOG_FORMAT", "xml"),
        ("PUBLIC_URL", "https://\udcff"),
    ],
)
def test_a_value_that_cannot_be_is_refused(variable, value):
    """By the name of the variable; the value may be a secret."""
    name = f"LEDGERCORE_{variable}"

    with pytest.raises(InternalError) as caught:
        ServiceSettings.from_environment({name: value})

    assert caught.value.code == "configuration_error"
    assert caught.value.details["setting"] == name
    if "SECRET" in variable:
        assert "not" not in str(caught.value)


def test_secrets_of_providers_are_several_while_one_is_changed():
    """And are in no representation."""
    secret = "a secret that providers have"

    told = ServiceSettings.from_environment({"LEDGERCORE_BANK_WEBHOOK_SECRET": f"{secret}, {STANDARD}"})

    assert told.bank_webhook_secret == (secret, STANDARD)
    assert told.payment_webhook_secret == ()
    assert secret not in repr(told)


@pytest.mark.parametrize("environment", ["development", "production"])
def test_private_addresses_are_for_development(environment):
    """Where strangers may call, they are refused whatever was said."""
    told = ServiceSettings.from_environment(
        {"LEDGERCORE_PRIVATE_ADDRESSES": "allowed", "LEDGERCORE_ENVIRONMENT": environment}
    )

    assert told.allows_private_addresses is (environment == "development")
    assert not ServiceSettings().allows_private_addresses


def test_a_misspelt_variable_is_refused_whoever_reads():
    """Either class knows the variables of the other, and only those."""
    both = {"LEDGERCORE_LEDGER": "shop", "LEDGERCORE_LOG_LEVEL": "debug"}

    assert Settings.from_environment(both).ledger == "shop"
    assert ServiceSettings.from_environment(both).log_level == "debug"
    for kind in (Settings, ServiceSettings):
        with pytest.raises(InternalError) as caught:
            kind.from_environment({"LEDGERCORE_LOGLEVEL": "debug"})
        assert caught.value.details["meant"] == "LEDGERCORE_LOG_LEVEL"


def test_secrets_are_not_shown():
    """Settings end up in logs and tracebacks."""
    settings = ServiceSettings(secret="canary one", previous_secrets="canary two")

    assert "canary" not in repr(settings)
