"""The Berlin-Group-shaped API, as the OpenAPI document of NextGenPSD2 1.3.11 has it."""

from ledgercore_sandbox import CLIENT_ID

from .conftest import CHALLENGE, VERIFIER, code_of


def test_a_consent_goes_from_received_to_valid_to_terminated(berlin_group):
    asked = berlin_group.ask()
    berlin_group.consent_id = asked.json()["consentId"]
    path = f"/bg/v1/consents/{berlin_group.consent_id}"

    def status():
        return berlin_group.call("GET", f"{path}/status").json()["consentStatus"]

    assert (asked.status_code, asked.json()["consentStatus"]) == (201, "received")
    assert asked.headers["location"] == berlin_group.sandbox.url + path
    assert asked.headers["aspsp-sca-approach"] == "REDIRECT"
    assert status() == "received"
    berlin_group.allow()
    assert status() == "valid"
    told = berlin_group.call("GET", path).json()
    assert told["access"] == {"allPsd2": "allAccounts"}
    assert (told["validUntil"], told["lastActionDate"]) == ("2026-05-30", "2026-03-01")
    assert berlin_group.call("DELETE", path).status_code == 204
    assert status() == "terminatedByTpp"


def test_the_link_to_oauth_leads_to_the_endpoints(berlin_group):
    link = berlin_group.ask().json()["_links"]["scaOAuth"]["href"]

    told = berlin_group.http.get(link).json()

    assert told["authorization_endpoint"] == f"{berlin_group.sandbox.url}/bg/authorize"
    assert told["token_endpoint"] == f"{berlin_group.sandbox.url}/bg/oauth2/token"


def test_links_bear_the_name_that_a_proxy_in_front_tells(berlin_group):
    headers = {"X-Request-ID": "99391c7e-ad88-49ec-a2ad-99ddcb1f7721", "PSU-IP-Address": "192.0.2.1"}

    asked = berlin_group.http.post(
        f"{berlin_group.sandbox.url}/bg/v1/consents",
        json=berlin_group.consent_body(),
        headers=headers | {"X-Forwarded-Host": "bank.example.com"},
    )

    assert asked.headers["location"].startswith("http://bank.example.com/bg/v1/consents/")
    assert asked.headers["x-request-id"] == "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"


def test_a_consent_lasts_half_a_year_at_most(berlin_group):
    berlin_group.consent_id = berlin_group.ask(validUntil="9999-12-31").json()["consentId"]

    told = berlin_group.call("GET", f"/bg/v1/consents/{berlin_group.consent_id}").json()

    assert told["validUntil"] == "2026-08-28"


def test_a_consent_that_cannot_be_read_is_refused_with_its_place(berlin_group):
    for changed, path in (
        ({"access": None}, "access"),
        ({"access": {}}, "access"),
        ({"access": {"everything": "please"}}, "access.everything"),
        ({"access": {"allPsd2": "some"}}, "access.allPsd2"),
        ({"access": {"accounts": "all"}}, "access.accounts"),
        ({"recurringIndicator": "yes"}, "recurringIndicator"),
        ({"recurringIndicator": False}, "frequencyPerDay"),
        ({"frequencyPerDay": 0}, "frequencyPerDay"),
        ({"frequencyPerDay": True}, "frequencyPerDay"),
        ({"validUntil": "soon"}, "validUntil"),
        ({"validUntil": "2026-02-28"}, "validUntil"),
        ({"combinedServiceIndicator": None}, "combinedServiceIndicator"),
    ):
        refused = berlin_group.ask(**changed)

        [message] = refused.json()["tppMessages"]
        assert (refused.status_code, message["category"], message["code"]) == (400, "ERROR", "FORMAT_ERROR")
        assert message["path"] == path


def test_a_body_that_is_no_object_is_refused(berlin_group):
    for body in (b"{", b"[]"):
        refused = berlin_group.call("POST", "/bg/v1/consents", content=body, headers={"PSU-IP-Address": "192.0.2.1"})

        assert (refused.status_code, code_of(refused)) == (400, "FORMAT_ERROR")


def test_every_required_header_is_checked(berlin_group):
    berlin_group.log_in()

    def refused(method, path, **options):
        answer = berlin_group.call(method, path, **options)
        return answer.status_code, code_of(answer)

    accounts, consents = "/bg/v1/accounts", "/bg/v1/consents"
    assert refused("GET", accounts, without="X-Request-ID") == (400, "FORMAT_ERROR")
    assert refused("GET", accounts, headers={"X-Request-ID": "17"}) == (400, "FORMAT_ERROR")
    assert refused("GET", accounts, without="Consent-ID") == (400, "FORMAT_ERROR")
    assert refused("GET", accounts, without="Authorization") == (401, "TOKEN_UNKNOWN")
    assert refused("GET", accounts, headers={"Authorization": "Bearer made-up"}) == (401, "TOKEN_UNKNOWN")
    assert refused("GET", accounts, headers={"Consent-ID": "made-up"}) == (403, "CONSENT_UNKNOWN")
    assert refused("POST", consents, json=berlin_group.consent_body()) == (400, "FORMAT_ERROR")
    assert refused("GET", f"{consents}/made-up") == (403, "CONSENT_UNKNOWN")
    assert refused("PUT", accounts) == (405, "SERVICE_INVALID")
    assert refused("GET", "/bg/v1/card-accounts") == (404, "RESOURCE_UNKNOWN")


def test_authorization_needs_a_waiting_consent_and_a_challenge(berlin_group):
    assert berlin_group.allow()["error"] == "invalid_scope"
    berlin_group.consent_id = berlin_group.ask().json()["consentId"]
    assert berlin_group.authorize(scope=f"AIS:{berlin_group.consent_id}")["error"] == "invalid_request"
    assert berlin_group.allow(scope=berlin_group.consent_id)["error"] == "invalid_scope"
    assert berlin_group.allow(auto="no")["error"] == "access_denied"

    status = berlin_group.call("GET", f"/bg/v1/consents/{berlin_group.consent_id}/status").json()

    assert status == {"consentStatus": "rejected"}
    assert berlin_group.allow()["error"] == "invalid_scope"


def test_a_code_needs_its_verifier_but_no_secret(berlin_group):
    berlin_group.consent_id = berlin_group.ask().json()["consentId"]
    code = berlin_group.allow()["code"]
    url = f"{berlin_group.sandbox.url}/bg/oauth2/token"
    form = {"grant_type": "authorization_code", "redirect_uri": "http://localhost:9/back?from=bank", "code": code}

    unknown = berlin_group.http.post(url, data=form, headers={"Authorization": "Basic !"})
    wrong = berlin_group.http.post(url, data=form | {"client_id": CLIENT_ID, "client_secret": "wrong"})
    issued = berlin_group.http.post(url, data=form | {"client_id": CLIENT_ID, "code_verifier": VERIFIER})

    assert (unknown.status_code, unknown.json()["error"]) == (401, "invalid_client")
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert issued.json()["scope"] == f"AIS:{berlin_group.consent_id}"
    assert issued.headers["cache-control"] == "no-store"


def test_the_client_may_prove_itself_in_a_header(berlin_group):
    berlin_group.consent_id = berlin_group.ask().json()["consentId"]
    code = berlin_group.allow()["code"]
    form = {"grant_type": "authorization_code", "redirect_uri": "http://localhost:9/back?from=bank", "code": code}

    issued = berlin_group.http.post(
        f"{berlin_group.sandbox.url}/bg/oauth2/token",
        data=form | {"code_verifier": VERIFIER},
        auth=(CLIENT_ID, "sandbox-secret"),
    )

    assert issued.status_code == 200


def test_a_challenge_in_plain_is_refused(berlin_group):
    berlin_group.consent_id = berlin_group.ask().json()["consentId"]

    assert berlin_group.allow(code_challenge=CHALLENGE, code_challenge_method="plain")["error"] == "invalid_request"


def test_an_expired_token_is_renewed_as_long_as_the_consent_lasts(berlin_group):
    berlin_group.log_in()
    berlin_group.sandbox.control.advance(3_600)
    assert code_of(berlin_group.get("/accounts")) == "TOKEN_EXPIRED"
    berlin_group.tokens = berlin_group.refresh(berlin_group.tokens["refresh_token"]).json()
    assert berlin_group.get("/accounts").status_code == 200

    berlin_group.sandbox.control.advance(91 * 86_400)
    refused = berlin_group.refresh(berlin_group.tokens["refresh_token"])

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


def test_a_consent_that_is_over_opens_nothing(berlin_group):
    berlin_group.log_in(validUntil="2026-03-01")
    berlin_group.sandbox.control.advance(3_599)
    assert berlin_group.get("/accounts").status_code == 200
    control = berlin_group.sandbox.control
    # The token would last an hour, the consent until midnight.
    berlin_group.tokens = berlin_group.refresh(berlin_group.tokens["refresh_token"]).json()
    control.advance(11 * 3_600 + 3_000 - 3_599)
    berlin_group.tokens = berlin_group.refresh(berlin_group.tokens["refresh_token"]).json()
    control.advance(700)

    expired = berlin_group.get("/accounts")

    assert (expired.status_code, code_of(expired)) == (401, "CONSENT_EXPIRED")


def test_a_customer_takes_a_consent_back(berlin_group):
    berlin_group.log_in()
    [customer, _] = dict.fromkeys(each["customer_id"] for each in berlin_group.sandbox.control.accounts())

    berlin_group.sandbox.control.revoke(customer)

    path = f"/bg/v1/consents/{berlin_group.consent_id}/status"
    assert berlin_group.call("GET", path).json() == {"consentStatus": "revokedByPsu"}
    assert code_of(berlin_group.get("/accounts")) == "TOKEN_INVALID"


def test_a_customer_approves_in_the_app_later(berlin_group):
    berlin_group.consent_id = berlin_group.ask().json()["consentId"]
    code = berlin_group.allow(auto="later")["code"]
    berlin_group.tokens = berlin_group.exchange(code, code_verifier=VERIFIER).json()
    waiting = berlin_group.get("/accounts")

    berlin_group.sandbox.control.approve()

    assert (waiting.status_code, code_of(waiting)) == (401, "CONSENT_INVALID")
    assert berlin_group.get("/accounts").status_code == 200


def test_accounts_show_balances_when_asked(berlin_group):
    berlin_group.log_in()
    plain = berlin_group.get("/accounts").json()["accounts"]
    [account] = berlin_group.get("/accounts", withBalance="true").json()["accounts"]
    account_id = berlin_group.account_id()
    one = berlin_group.get(f"/accounts/{account_id}").json()["account"]
    balances = berlin_group.get(f"/accounts/{account_id}/balances").json()["balances"]

    assert plain == [one]
    assert account["balances"] == balances
    [true] = [each for each in berlin_group.sandbox.control.accounts() if each["id"] == account_id]
    told = {each["balanceType"]: each["balanceAmount"]["amount"].replace(".", "") for each in balances}
    assert told == {"interimBooked": str(true["booked_minor"]), "expected": str(true["expected_minor"])}


def test_a_consent_for_less_shows_less(berlin_group):
    """Accounts that were not named are not there; services that were not named are refused."""
    held = [each for each in berlin_group.sandbox.control.accounts() if each["bank"] == "bg"]
    own = {"iban": held[0]["iban"]}

    def seen(**access):
        berlin_group.log_in(access=access)
        accounts = berlin_group.get("/accounts").json()["accounts"]
        path = f"/accounts/{held[0]['id']}"
        balances = berlin_group.get(f"{path}/balances")
        transactions = berlin_group.get(f"{path}/transactions", bookingStatus="booked", dateFrom="2020-01-01")
        return len(accounts), balances.status_code, transactions.status_code

    assert seen(allPsd2="allAccounts") == (1, 200, 200)
    assert seen(accounts=[], balances=[], transactions=[]) == (1, 200, 200)
    assert seen(accounts=[own], balances=[own]) == (1, 200, 401)
    assert seen(transactions=[own]) == (1, 401, 200)
    assert seen(availableAccounts="allAccounts") == (1, 401, 401)
    assert seen(availableAccountsWithBalance="allAccounts") == (1, 200, 401)
    assert seen(accounts=[{"iban": held[1]["iban"]}]) == (0, 404, 404)
    assert berlin_group.get(f"/accounts/{held[1]['id']}").status_code == 404


def test_pages_are_linked_until_each_booked_row_was_told_once(berlin_group):
    berlin_group.log_in()
    report = berlin_group.report(itemsPerPage=10)
    booked, pending = report["booked"], report["pending"]
    while "next" in report["_links"]:
        report = berlin_group.call("GET", report["_links"]["next"]["href"]).json()["transactions"]
        booked, pending = booked + report["booked"], pending + report["pending"]

    assert len(booked) == len({row["transactionId"] for row in booked}) == 27
    assert [row["bookingDate"] for row in booked] == sorted(row["bookingDate"] for row in booked)
    assert len(pending) == 3
    assert {"transactionId", "bookingDate"} & {name for row in pending for name in row} == set()


def test_days_and_status_limit_what_is_told(berlin_group):
    berlin_group.log_in()
    days = [row["bookingDate"] for row in berlin_group.report()["booked"]]

    some = berlin_group.report(bookingStatus="booked", dateFrom=days[3], dateTo=days[6])
    waiting = berlin_group.report(bookingStatus="pending")

    assert [row["bookingDate"] for row in some["booked"]] == days[3:7]
    assert ("pending" in some, "booked" in waiting, len(waiting["pending"])) == (False, False, 3)


def test_malformed_questions_are_refused_with_messages(berlin_group):
    berlin_group.log_in()
    path = f"/accounts/{berlin_group.account_id()}/transactions"

    for query, code in (
        ({"bookingStatus": None}, "FORMAT_ERROR"),
        ({"bookingStatus": "information"}, "PARAMETER_NOT_SUPPORTED"),
        ({"deltaList": "true"}, "PARAMETER_NOT_SUPPORTED"),
        ({"dateFrom": None}, "FORMAT_ERROR"),
        ({"dateFrom": "1st of May"}, "FORMAT_ERROR"),
        ({"dateFrom": "2026-02-02", "dateTo": "2026-02-01"}, "PERIOD_INVALID"),
        ({"pageIndex": "-1"}, "FORMAT_ERROR"),
    ):
        asked = {"bookingStatus": "booked", "dateFrom": "2020-01-01"} | query
        refused = berlin_group.get(path, **{name: value for name, value in asked.items() if value is not None})

        assert (refused.status_code, code_of(refused)) == (400, code)


def test_a_booked_row_keeps_its_reference_under_a_new_id_and_day(berlin_group):
    berlin_group.log_in()
    account_id, control = berlin_group.account_id(), berlin_group.sandbox.control
    pending = control.make_transaction(
        account_id, amount_minor=-1_250, counterparty="Corner Bakery", end_to_end_id="E2E-1", description="ROLLS"
    )
    waiting = berlin_group.report()["pending"][-1]

    control.advance(2 * 86_400)
    berlin_group.log_in()
    booked_id = control.settle(pending, amount_minor=-1_300)
    booked = berlin_group.report()["booked"][-1]

    assert waiting["transactionAmount"] == {"currency": "EUR", "amount": "-12.50"}
    assert (waiting["endToEndId"], waiting["creditorName"]) == ("E2E-1", "Corner Bakery")
    assert (booked["transactionId"], booked["bookingDate"]) == (booked_id, "2026-03-03")
    assert (booked["transactionAmount"]["amount"], booked["endToEndId"]) == ("-13.00", "E2E-1")
