"""What users have at the bank is theirs: to others it is, byte for byte, as if it were not there.

alice has one of everything; carol was told every id of hers.
"""

from typing import Any
from uuid import UUID

import pytest
from attrs import frozen

from ledgercore.identity.access import Operator
from ledgercore.testing.events_webhooks import delivery_to, endpoint_of
from ledgercore.testing.payments_people import funded_account, payment, stored_payments
from ledgercore_http.resources import bank_accounts, bank_logins, payments, webhook_endpoints
from ledgercore_http.schemas.banking import ACCOUNT_ASKED_EXAMPLE
from ledgercore_http.schemas.statements import FILE_EXAMPLE

from .test_http_tenants import ABSENT, send, told

TABLES = (payments, webhook_endpoints, bank_logins, bank_accounts)
# Giving payments back is for admins. Whoever Monzo says it is gets one answer, which matters to nobody.
OF_ONE = [
    route
    for module in TABLES
    for route in module.ROUTES.table
    if "{id}" in route.path and route.name not in ("return_payment", "hear_monzo")
]
LISTS = ("/payments", "/webhook-endpoints", "/bank-logins", "/accounts")
FILE = {"content-type": "text/plain"}


@frozen(kw_only=True)
class Theirs:
    """Ids of what alice has."""

    payments: str
    webhooks: str
    delivery: str
    bank_logins: str
    bank_accounts: str

    def of(self, tag: str) -> str:
        """The id of what routes with a tag are about."""
        found: str = getattr(self, tag.replace(" ", "_"))
        return found


def owned(service: Any, client: Any) -> Theirs:
    """One of everything, for whoever has a client."""
    user = service.identity.users.get(UUID(client.user_id), by=Operator())
    store = service.bank.store
    account = funded_account(store, "500", ledger=service.bank.ledger, user=user)
    waiting, endpoint = payment(account), endpoint_of(user)
    delivery = delivery_to(endpoint)
    stored_payments(store, waiting)
    with store.begin() as work:
        work.webhooks.add(endpoint)
        work.webhooks.add_deliveries([delivery])
    return Theirs(
        payments=str(waiting.id),
        webhooks=str(endpoint.id),
        delivery=str(delivery.id),
        bank_logins=str(account.user_bank_login_id),
        bank_accounts=str(account.id),
    )


@pytest.fixture
def theirs(service, alice) -> Theirs:
    return owned(service, alice)


def seen(client: Any) -> list[Any]:
    """Everything that somebody has at the bank."""
    return [client.get(path).json()["data"] for path in LISTS]


def asked(client: Any, route: Any, id: str, theirs: Theirs) -> Any:
    """What somebody gets who asks for a thing."""
    return send(client, route, route.path.format(id=id, delivery_id=theirs.delivery))


def test_anothers_is_as_one_that_is_not_there(alice, carol, theirs):
    before = seen(alice)

    for route in (each for each in OF_ONE if each.tag != "payments"):
        id = theirs.of(route.tag)
        found, absent = told(asked(carol, route, id, theirs), id), told(asked(carol, route, ABSENT, theirs), ABSENT)

        assert found == absent, route.name
        assert found[0] == 404, route.name
    assert seen(alice) == before


def test_anothers_payment_is_forbidden_whatever_it_is(service, alice, carol, theirs):
    """That it is there may be told of a payment, and nothing else of it."""
    processed = owned(service, alice)
    assert alice.post(f"/payments/{processed.payments}/process").status_code == 200
    before = seen(alice)

    for route in (each for each in OF_ONE if each.tag == "payments"):
        answers = [told(asked(carol, route, id, theirs), id) for id in (theirs.payments, processed.payments)]

        assert answers[0] == answers[1], route.name
        assert answers[0][0] == 403, route.name
    assert seen(alice) == before


def test_anothers_delivery_is_not_sent_again_by_a_webhook_of_ones_own(service, carol, theirs):
    path = f"/webhook-endpoints/{owned(service, carol).webhooks}/deliveries/{{}}/redeliver"

    found, absent = (carol.post(path.format(id)) for id in (theirs.delivery, ABSENT))

    assert told(found, theirs.delivery) == told(absent, ABSENT)
    assert (found.status_code, found.json()["code"]) == (404, "delivery_not_found")


def test_no_account_is_opened_for_anothers_login(alice, carol, theirs):
    before = seen(alice)

    found, absent = (
        carol.post("/accounts", {**ACCOUNT_ASKED_EXAMPLE, "user_bank_login_id": id})
        for id in (theirs.bank_logins, ABSENT)
    )

    assert told(found, theirs.bank_logins) == told(absent, ABSENT)
    assert (found.status_code, found.json()["code"]) == (404, "bank_login_not_found")
    assert seen(alice) == before


def test_no_webhook_listens_to_anothers_ledger(carol, shop):
    found, absent = (
        carol.post("/webhook-endpoints", {"url": "https://example.com/hook", "ledger": ledger})
        for ledger in (shop, "shop-" + "0" * len(shop[5:]))
    )

    assert told(found, shop) == told(absent, "shop-" + "0" * len(shop[5:]))
    assert (found.status_code, found.json()["code"]) == (404, "ledger_not_found")


def test_whose_is_for_those_who_may_ask(alice, carol, theirs):
    """Whether or not there is such a user."""
    for listing in ("/bank-logins", "/accounts", "/payments/stats"):
        found, absent = (carol.get(f"{listing}?user_id={id}") for id in (alice.user_id, ABSENT))

        assert told(found, alice.user_id) == told(absent, ABSENT)
        assert (found.status_code, found.json()["code"]) == (403, "insufficient_permissions")


def test_lists_show_ones_own_alone(service, carol, theirs):
    nothing = seen(carol)
    own = owned(service, carol)

    shown = seen(carol)

    assert nothing == [[]] * len(LISTS)
    assert [[each["id"] for each in items] for items in shown] == [
        [own.payments], [own.webhooks], [own.bank_logins], [own.bank_accounts],
    ]  # fmt: skip


def test_anothers_cursor_leads_to_ones_own(service, alice, carol, theirs):
    owned(service, alice)
    own = owned(service, carol)
    for listing in ("/webhook-endpoints", "/bank-logins"):
        cursor = alice.get(f"{listing}?limit=1").json()["metadata"]["pagination"]["next_cursor"]

        found = carol.get(listing, params={"cursor": cursor}).json()["data"]

        assert {each["id"] for each in found} <= {own.webhooks, own.bank_logins}


def test_statements_and_matches_of_another_ledger_are_not_found(alice, carol, shop):
    """In a ledger of one's own with an account of the same name."""
    den = carol.post("/ledgers", {"name": "den", "settings": {"on_first_use": True}}).json()["data"]["ledger"]
    sale = {"lines": [{"debit": "assets:bank", "credit": "income:sales", "amount": "120.00", "currency": "EUR"}]}
    for client, ledger in ((alice, shop), (carol, den)):
        posted = client.post(f"/ledgers/{ledger}/transactions", sale).json()["data"]["id"]
    path = f"/ledgers/{shop}/statements"
    [imported] = alice.post(f"{path}?account=assets:bank", content=FILE_EXAMPLE, headers=FILE).json()["data"]
    [line] = alice.get(f"{path}/{imported['id']}/lines").json()["data"]
    paid = alice.get(f"/ledgers/{shop}/transactions").json()["data"][0]["id"]
    matching = {"lines": [{"id": line["id"]}], "transactions": [{"id": paid}]}
    match = alice.post(f"/ledgers/{shop}/reconciliation/assets:bank/matches", matching).json()["data"]["id"]
    before = alice.get(f"/ledgers/{shop}/reconciliation/assets:bank/proof").json()["data"]

    desk = f"/ledgers/{den}/reconciliation/assets:bank/matches"
    pairs = [
        [carol.get(f"/ledgers/{den}/statements/{id}") for id in (imported["id"], ABSENT)],
        [carol.get(f"/ledgers/{den}/statements/{id}/lines") for id in (imported["id"], ABSENT)],
        [carol.delete(f"{desk}/{id}") for id in (match, ABSENT)],
        [carol.post(desk, {"lines": [{"id": id}], "transactions": [{"id": posted}]}) for id in (line["id"], ABSENT)],
        [carol.post(desk, {"lines": [], "transactions": [{"id": id}]}) for id in (paid, ABSENT)],
    ]

    for (found, absent), id in zip(pairs, (imported["id"], imported["id"], match, line["id"], paid), strict=True):
        assert told(found, id) == told(absent, ABSENT)
        assert found.status_code == 404
    assert alice.get(f"/ledgers/{shop}/reconciliation/assets:bank/proof").json()["data"] == before
