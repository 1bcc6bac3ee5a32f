"""A client that nobody wrote: generated from the served document, it posts, holds, captures and reads."""

import importlib
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from ledgercore_http.schemas.statements import FILE_EXAMPLE

pytestmark = pytest.mark.slow

NAME = "generated_ledgercore"
# What the generator does not know are lines of JSON and files of banks, so these are bytes to it.
SETTINGS = f"""
project_name_override: generated
package_name_override: {NAME}
post_hooks: []
content_type_overrides:
  application/x-ndjson: application/octet-stream
  application/xml: application/octet-stream
  text/csv: application/octet-stream
  text/plain: application/octet-stream
"""
PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def address(served) -> str:
    """Where the routes of the shared server stand."""
    return f"http://127.0.0.1:{served.port}/api/v1"


@pytest.fixture(scope="module")
def package(address, tmp_path_factory) -> Iterator[Any]:
    """Gives modules of the client that was generated from what the server says of itself."""
    directory: Path = tmp_path_factory.mktemp("generated")
    document, settings = directory / "openapi.json", directory / "settings.yml"
    with urlopen(f"{address}/docs/openapi.json") as answer:
        document.write_bytes(answer.read())
    settings.write_text(SETTINGS)
    run = subprocess.run(
        [
            sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning", "--meta", "none",
            "--path", str(document), "--config", str(settings), "--output-path", str(directory / NAME),
        ],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert "warning" not in (run.stdout + run.stderr).lower()
    sys.path.insert(0, str(directory))
    try:
        yield lambda name: importlib.import_module(f"{NAME}.{name}")
    finally:
        sys.path.remove(str(directory))
        for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
            del sys.modules[name]


@pytest.fixture(scope="module")
def models(package) -> Any:
    return package("models")


class Client:
    """Calls operations of the generated client by their tag and name, and gives what they parsed."""

    def __init__(self, package: Any, client: Any) -> None:
        self._package, self._client, self.ledger = package, client, ""

    def call(self, operation: str, *arguments: Any, **options: Any) -> Any:
        """`holds.capture_hold` with its arguments: the parsed answer, or the parsed problem."""
        parsed = self._package(f"api.{operation}").sync(*arguments, client=self._client, **options)
        assert parsed is not None, f"{operation} did not understand its answer"
        return parsed

    def here(self, operation: str, *arguments: Any, **options: Any) -> Any:
        """The data of an operation on the ledger."""
        return self.call(operation, self.ledger, *arguments, **options).data


@pytest.fixture
def connect(package, address) -> Iterator[Callable[..., Client]]:
    """Makes clients, with a token or without, and closes their connections after the test."""
    made = package("client")
    with ExitStack() as stack:

        def connect(token: str | None = None) -> Client:
            client = made.Client(address) if token is None else made.AuthenticatedClient(address, token=token)
            return Client(package, stack.enter_context(client))

        yield connect


@pytest.fixture
def shop(connect, models) -> Client:
    """A user who registered, logged in and started a ledger, all by the generated client."""
    somebody, email = connect(), f"generated-{next(_numbers)}@example.com"
    registration = models.Registration(
        email=email, full_name="Generated", password=PASSWORD, password_confirmation=PASSWORD
    )
    assert somebody.call("users.register_user", body=registration).data.email == email
    shop: Client = connect(somebody.call("auth.login", body=models.Login(email, PASSWORD)).data.access_token)
    wanted = models.NewLedger(name="shop", settings=models.NewSettings(on_first_use=True))
    shop.ledger = shop.call("ledgers.create_ledger", body=wanted).data.ledger
    return shop


def sale(models, amount: str) -> Any:
    return models.NewLine(debit="assets:bank", credit="income:sales", amount=amount, currency="EUR")


def test_posts_once_under_a_key(shop, models):
    body = models.NewTransaction(lines=[sale(models, "120.00")], description="Order 17")

    first, again = (shop.here("transactions.create_transaction", body=body, idempotency_key="sale-1") for _ in range(2))

    assert first == again
    assert [(line.amount, line.amount_minor) for line in first.lines] == [("120.00", "12000")]
    assert shop.here("transactions.get_transaction", first.id).lines[0].debit_balance == "120.00"
    assert len(shop.here("transactions.list_transactions")) == 1


def test_holds_captures_and_reads_back(shop, models):
    shop.here("transactions.create_transaction", body=models.NewTransaction(lines=[sale(models, "100.00")]))
    refund = models.NewLine(debit="income:sales", credit="assets:bank", amount="30.00", currency="EUR")

    hold = shop.here("holds.create_hold", body=models.NewHold(lines=[refund]))
    reserved = shop.here("accounts.get_balance", "assets:bank")
    captured = shop.here(
        "holds.capture_hold", hold.id, body=models.NewCapture(amount="25.00", currency="EUR", final=True)
    )

    balance = shop.here("accounts.get_balance", "assets:bank")
    assert (reserved.posted, reserved.pending_credits) == ("100.00", "30.00")
    assert (captured.captures, captured.lines[0].amount) == (hold.id, "25.00")
    assert (balance.posted, balance.pending_credits, balance.available) == ("75.00", "0.00", "75.00")
    assert shop.here("holds.get_hold", hold.id).status.value == "captured"


def test_carries_out_a_batch(shop, models):
    items = [models.TransactionCommand(lines=[sale(models, f"{number}.00")]) for number in (1, 2, 3)]

    outcomes = shop.here("batches.create_batch", body=models.NewBatch(items=items)).outcomes

    assert [each.outcome for each in outcomes] == ["applied"] * 3
    assert shop.here("accounts.get_balance", "assets:bank").posted == "6.00"


def test_reads_everything_there_is(shop, models):
    """Each answer is one that the generated models can hold."""
    posted = shop.here("transactions.create_transaction", body=models.NewTransaction(lines=[sale(models, "9.00")]))
    hold = shop.here("holds.create_hold", body=models.NewHold(lines=[sale(models, "1.00")], group="order"))
    head = shop.here("proofs.get_head").head

    found = {
        operation: shop.here(operation, *arguments)
        for operation, *arguments in (
            ("books.get_ledger",),
            ("ledgers.list_members",),
            ("accounts.list_accounts",),
            ("accounts.get_account", "assets:bank"),
            ("accounts.list_balances",),
            ("accounts.list_entries", "assets:bank"),
            ("holds.list_holds",),
            ("reports.get_trial_balance",),
            ("reports.get_balance_sheet",),
            ("reports.get_income_statement",),
            ("reports.get_totals",),
            ("events.list_events",),
            ("proofs.prove_transaction", posted.id),
            ("proofs.prove_any_record", "1"),
        )
    }

    assert found["reports.get_trial_balance"].balanced is True
    assert [each.id for each in found["holds.list_holds"]] == [hold.id]
    assert [each.account for each in found["accounts.list_accounts"]] == ["assets:bank", "income:sales"]
    assert shop.here("proofs.prove_heads_consistent", older=head).to_dict()
    assert shop.call("ledgers.list_ledgers").data[0].ledger == shop.ledger
    assert shop.call("auth.me").data.role.value == "user"


def test_imports_a_statement_and_proves_it(package, shop, models):
    body = models.NewTransaction(lines=[sale(models, "120.00")], effective_at=datetime(2026, 3, 2, 9, tzinfo=UTC))
    paid = shop.here("transactions.create_transaction", body=body)
    file = package("types").File(payload=BytesIO(FILE_EXAMPLE.encode()))

    [imported] = shop.here("statements.import_statements", account="assets:bank", body=file)
    [line] = shop.here("statements.list_statement_lines", imported.id)
    part = models.NewMatchedPart
    wanted = models.NewMatch(lines=[part(id=line.id)], transactions=[part(id=paid.id)])
    match = shop.here("statements.create_match", "assets:bank", body=wanted)

    proof = shop.here("statements.prove_reconciliation", "assets:bank")
    assert (imported.is_new, line.amount) == (True, "120.00")
    assert [each.id for each in shop.here("statements.list_matches", "assets:bank")] == [match.id]
    assert proof.is_proved


def test_has_webhooks_and_tries_payments(shop, models):
    made = shop.call("webhooks.create_webhook", body=models.WebhookAsked(url="https://example.com/hook")).data
    tried = models.PaymentTried(
        amount="1.00",
        direction=models.PaymentTriedDirection.DEBIT,
        payment_type=models.PaymentTriedPaymentType.PAYMENT,
        description="Shoes",
        user_bank_account_id=made.id,
    )

    assert made.secret.startswith("whsec_")
    assert [each.id for each in shop.call("webhooks.list_webhooks").data] == [made.id]
    assert shop.call("payments.validate_payment", body=tried).code == "account_not_found"
    assert shop.call("payments.get_payment_stats").data.financial_health.total_accounts == 0
    for listing in ("payments.list_payments", "bank_logins.list_bank_logins", "bank_accounts.list_bank_accounts"):
        assert shop.call(listing).data == []


def test_reads_a_refusal(connect, shop, models):
    """A problem is parsed too, with a reason that a program can act on."""
    problem = shop.call("holds.get_hold", shop.ledger, "01970000-0000-7000-8000-0000000000ff")

    assert isinstance(problem, models.Problem)
    assert (problem.status, problem.code, problem.retryable) == (404, "hold_not_found", False)
    assert connect("no token").call("ledgers.list_ledgers").code == "invalid_token"
