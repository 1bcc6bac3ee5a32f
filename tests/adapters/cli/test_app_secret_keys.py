"""Where the service's secret comes from, and what is signed with it."""

import secrets
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ledgercore.errors import AuthenticationError, InternalError
from ledgercore.identity.secrets import Claims, TokenType
from ledgercore_app.databases import Embedded, Memory, Server
from ledgercore_app.secret_keys import Secrets, read_secrets, sealer_of, signer_of
from ledgercore_app.service_settings import ServiceSettings

SHARED = Server("postgresql://h/d")
LONG = secrets.token_hex(64)
OTHER = secrets.token_hex(64)


NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLAIMS = Claims(
    type=TokenType.ACCESS, user_id=UUID(int=1), session_id=UUID(int=2), token_id="j", issued_at=NOW,
    expires_at=NOW + timedelta(minutes=5), email="ann@example.com", role="user",
)  # fmt: skip


def signer(**settings):
    """What signs under some settings."""
    told = ServiceSettings(**settings)
    return signer_of(told, read_secrets(told, SHARED))


def sealer(**settings):
    """What seals under some settings."""
    return sealer_of(read_secrets(ServiceSettings(**settings), SHARED))


def believed(reader, token):
    """Whether somebody accepts a token."""
    try:
        return reader.read(token, wanted=TokenType.ACCESS, now=NOW) == CLAIMS
    except AuthenticationError:
        return False


class TestWhereFrom:
    def test_the_variable_before_the_file(self, tmp_path: Path):
        """A file may end in a new line, as files do."""
        file = tmp_path / "secret"
        file.write_text(f"{OTHER}\n")

        both = ServiceSettings(secret=LONG, secret_file=file, previous_secrets="one,two")
        from_file = ServiceSettings(secret_file=file)

        assert read_secrets(both, SHARED) == Secrets(LONG.encode(), (b"one", b"two"))
        assert read_secrets(from_file, SHARED) == Secrets(OTHER.encode(), ())
        assert read_secrets(both, SHARED).all == (LONG.encode(), b"one", b"two")

    def test_a_database_of_our_own_keeps_one(self, tmp_path: Path):
        """For us alone, long enough for production, and the same ever after."""
        database = Embedded(tmp_path / "not yet" / "data")

        first, second = (read_secrets(ServiceSettings(), database) for _ in range(2))

        assert first == second
        assert len(first.present) == 128
        [file] = (tmp_path / "not yet").iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert signer_of(ServiceSettings(environment="production"), first)

    def test_those_who_start_together_get_the_same_one(self, tmp_path: Path):
        """And leave nothing else behind."""
        for number in range(20):
            database = Embedded(tmp_path / str(number) / "data")
            with ThreadPoolExecutor(8) as threads:
                found = list(threads.map(lambda _, at=database: read_secrets(ServiceSettings(), at), range(8)))

            assert len(set(found)) == 1
            assert len(list((tmp_path / str(number)).iterdir())) == 1

    def test_a_database_in_memory_has_a_new_one_each_time(self):
        """Its tokens are of no use to the next."""
        first, second = (read_secrets(ServiceSettings(), Memory()) for _ in range(2))

        assert first != second
        assert signer_of(ServiceSettings(environment="production"), first)

    def test_a_shared_database_wants_a_shared_one(self):
        """What one process signs, the others must believe."""
        with pytest.raises(InternalError) as caught:
            read_secrets(ServiceSettings(), SHARED)

        assert caught.value.code == "configuration_error"
        assert caught.value.details["setting"] == "LEDGERCORE_SECRET"

    def test_a_file_that_is_not_there_is_told(self, tmp_path: Path):
        """By its name."""
        with pytest.raises(InternalError) as caught:
            read_secrets(ServiceSettings(secret_file=tmp_path / "none"), SHARED)

        assert caught.value.code == "configuration_error"
        assert caught.value.details["setting"] == str(tmp_path / "none")

    def test_secrets_are_not_shown(self):
        """Whoever prints them."""
        assert "canary" not in repr(Secrets(b"canary one", (b"canary two",)))


class TestWhatIsSigned:
    def test_a_secret_can_be_changed_without_logging_anybody_out(self):
        """As long as it is named among the previous ones; answers that were kept can be opened, too."""
        before, between, after = signer(secret=LONG), signer(secret=OTHER, previous_secrets=LONG), signer(secret=OTHER)
        old, new = before.sign(CLAIMS), between.sign(CLAIMS)
        sealed = sealer(secret=LONG).seal(b"answer", context="c")

        assert [believed(each, old) for each in (before, between, after)] == [True, True, False]
        assert [believed(each, new) for each in (before, between, after)] == [False, True, True]
        assert sealer(secret=OTHER, previous_secrets=LONG).open(sealed, context="c") == b"answer"

    def test_a_key_in_a_file_signs_instead(self, tmp_path: Path):
        """What the secret has signed is believed still."""
        file = tmp_path / "key.pem"
        file.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        with_key, without = signer(secret=LONG, token_key_file=file), signer(secret=LONG)

        token = with_key.sign(CLAIMS)

        assert jwt.get_unverified_header(token)["alg"] == "EdDSA"
        assert believed(with_key, token)
        assert not believed(without, token)
        assert believed(with_key, without.sign(CLAIMS))

    def test_issuer_and_audience_are_those_of_the_settings(self):
        """A token for one service is nothing to another, with the same secret or not."""
        token = signer(secret=LONG, token_issuer="bank", token_audience="tills").sign(CLAIMS)

        payload = jwt.decode(token, options={"verify_signature": False})
        assert (payload["iss"], payload["aud"]) == ("bank", "tills")
        assert not believed(signer(secret=LONG), token)

    def test_a_weak_secret_is_refused_by_the_name_of_its_setting(self, tmp_path: Path):
        """In development 32 bytes will do; what can be guessed never does."""
        file = tmp_path / "key.pem"
        file.write_text("no key")
        short = secrets.token_hex(16)
        assert signer(secret=short)

        for wrong, setting in (
            ({"secret": short, "environment": "production"}, "LEDGERCORE_SECRET"),
            ({"secret": "changeme" * 10}, "LEDGERCORE_SECRET"),
            ({"secret": LONG, "previous_secrets": "weak"}, "LEDGERCORE_PREVIOUS_SECRETS"),
            ({"secret_file": file}, "LEDGERCORE_SECRET_FILE"),
            ({"secret": LONG, "token_key_file": file}, "LEDGERCORE_TOKEN_KEY_FILE"),
        ):
            with pytest.raises(InternalError) as caught:
                signer(**wrong)
            assert caught.value.code == "configuration_error"
            assert caught.value.details["setting"] == setting
            assert short not in str(caught.value)
