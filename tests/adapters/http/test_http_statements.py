"""Statements over HTTP: files that are imported, lines that are matched, and the proof."""

import pytest

from ledgercore_http.schemas.statements import FILE_EXAMPLE

ABSENT = "01970000-0000-7000-8000-00000000abcd"
TEXT = {"content-type": "text/plain"}
RUN = "/reconciliation/assets:bank"


def told(answer):
    """The status and the reason of a refusal."""
    return answer.status_code, answer.json()["code"]


def mt940(*entries, opening="0,00", closing="0,00", number="1/1", account="12030000/202051"):
    """A statement of March; an entry is mark, amount, reference and text, as in `C30,00 INV-1 Ada`."""
    lines = [":20:MARCH", f":25:{account}", f":28C:{number}", f":60F:C260301EUR{opening}"]
    for entry in entries:
        amount, reference, text = entry.split(" ", 2)
        lines += [f":61:2603020302{amount}NTRF{reference}", f":86:?20{text}"]
    return "\r\n".join([*lines, f":62F:C260302EUR{closing}", "-", ""]).encode()


MARCH = mt940("C30,00 INV-1 invoice", "D5,00 NONREF cash", closing="25,00")

NOT_IMPORTED = [
    (b"", "account=assets:bank", TEXT, (400, "unknown_statement_format")),
    (b"hello", "account=assets:bank", TEXT, (400, "unknown_statement_format")),
    (MARCH, "account=assets:bank&format=mt999", TEXT, (400, "unknown_statement_format")),
    (MARCH, "account=assets:bank&dialect=nobank", TEXT, (400, "unknown_statement_format")),
    (MARCH.replace(b":61:26", b":61:xx"), "account=assets:bank", TEXT, (400, "malformed_statement")),
    (MARCH, "account=assets:bank&bank_account=other", TEXT, (400, "malformed_statement")),
    (MARCH + mt940(account="OTHER"), "account=assets:bank", TEXT, (400, "malformed_statement")),
    (MARCH.replace(b"EUR", b"USD"), "account=assets:bank", TEXT, (422, "statement_currency_mismatch")),
    (MARCH, "account=assets:none", TEXT, (404, "account_not_found")),
    (MARCH, "account=assets::x", TEXT, (400, "invalid_account_path")),
    (MARCH, "", TEXT, (400, "missing_fields")),
    (MARCH, "account=assets:bank&colour=red", TEXT, (400, "unknown_fields")),
    (MARCH, "account=assets:bank", {"content-type": "application/json"}, (415, "unsupported_media_type")),
    (MARCH, "account=assets:bank", {}, (415, "unsupported_media_type")),
]
NOT_THERE = [
    (f"/statements/{ABSENT}", (404, "statement_not_found")),
    (f"/statements/{ABSENT}/lines", (404, "statement_not_found")),
    ("/statements/17", (400, "invalid_uuid_format")),
    ("/statements?cursor=x", (400, "invalid_cursor")),
    (f"{RUN}/matches?cursor=x", (400, "invalid_cursor")),
    (f"{RUN}/matches?undone=2", (400, "invalid_filter")),
    (f"{RUN}/suggestions?window_days=x", (400, "invalid_filter")),
    (f"{RUN}/suggestions?window_days=61", (400, "invalid_argument")),
    (f"{RUN}/suggestions?tolerance=0.10", (400, "invalid_argument")),
    (f"{RUN}/suggestions?tolerance=-1&tolerance_account=expenses:fees", (400, "invalid_amount_format")),
    (f"{RUN}/suggestions?tolerance=1&tolerance_account=:", (400, "invalid_account_path")),
    *(
        (f"/reconciliation/assets:none/{each}", (404, "account_not_found"))
        for each in ("proof", "matches", "suggestions", "unmatched")
    ),
    ("/reconciliation/assets::x/proof", (400, "invalid_account_path")),
]
NOT_MATCHED = [
    ({}, (400, "missing_fields")),
    ({"lines": [], "transactions": []}, (400, "invalid_allocation")),
    ({"lines": 1, "transactions": []}, (400, "invalid_argument")),
    ({"lines": [1], "transactions": []}, (400, "invalid_argument")),
    ({"lines": [{"id": "x"}], "transactions": []}, (400, "invalid_uuid_format")),
    ({"lines": [{"id": ABSENT, "amount": 1.5}], "transactions": []}, (400, "invalid_amount_format")),
    ({"lines": [{"id": ABSENT, "amount": "--1"}], "transactions": []}, (400, "invalid_amount_format")),
    ({"lines": [{"id": ABSENT}], "transactions": []}, (404, "statement_not_found")),
    ({"lines": [], "transactions": [{"id": ABSENT}]}, (404, "transaction_not_found")),
    ({"lines": [], "transactions": [], "why": "x"}, (400, "unknown_fields")),
]


@pytest.fixture
def post(alice, shop):
    """Posts money into the bank account, or out of it with a minus; gives the transaction's id."""
    alice.post(f"/ledgers/{shop}/accounts", {"account": "assets:bank", "currency": "EUR"})

    def post_(amount, **fields):
        debit, credit = ("assets:bank", "income:sales") if amount[0] != "-" else ("income:sales", "assets:bank")
        line = {"debit": debit, "credit": credit, "amount": amount.removeprefix("-"), "currency": "EUR"}
        when = {"effective_at": "2026-03-01T09:00:00Z"}
        answer = alice.post(f"/ledgers/{shop}/transactions", {"lines": [line], **when, **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]["id"]

    return post_


@pytest.fixture
def send(alice, shop, post):
    """Uploads a file for the bank account."""

    def send_(content, query="account=assets:bank", headers=TEXT, client=alice, **options):
        path = f"/ledgers/{shop}/statements?{query}"
        return client.post(path, content=content, headers=headers, **options)

    return send_


@pytest.fixture
def get(alice, shop):
    """The data under a path of the ledger."""

    def get_(path):
        answer = alice.get(f"/ledgers/{shop}{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    return get_


class TestImporting:
    def test_a_file_becomes_statements_and_lines(self, send, get):
        answer = send(MARCH, "account=assets:bank&file_name=march.sta")

        assert answer.status_code == 201
        [statement] = answer.json()["data"]
        assert (statement["is_new"], statement["lines_added"], statement["file_name"]) == (True, 2, "march.sta")
        assert (statement["opening"], statement["closing_minor"], statement["difference"]) == ("0.00", "2500", "0.00")
        [listed] = get("/statements?account=assets:bank")
        assert listed == get(f"/statements/{statement['id']}")
        assert {**listed, "is_new": True} == statement
        lines = get(f"/statements/{statement['id']}/lines")
        assert [(each["direction"], each["amount"], each["booked_on"]) for each in lines] == [
            ("CREDIT", "30.00", "2026-03-02"),
            ("DEBIT", "-5.00", "2026-03-02"),
        ]

    def test_the_same_file_again_adds_nothing(self, send, get):
        send(MARCH)

        [again] = send(MARCH).json()["data"]

        assert again["is_new"] is False
        assert len(get("/statements")) == 1

    def test_a_repeat_under_a_key_gets_the_same_answer(self, send):
        first, again = (send(MARCH, headers={**TEXT, "idempotency-key": "march"}) for _ in range(2))

        assert again.content == first.content
        assert again.headers["idempotency-replayed"] == "true"

    def test_files_come_under_any_of_their_types(self, send):
        for kind in ("application/octet-stream", "text/plain", "application/xml", "text/csv"):
            assert send(FILE_EXAMPLE.encode(), headers={"content-type": kind}).status_code == 201

    def test_what_cannot_be_imported_is_refused_and_leaves_nothing(self, send, get):
        found = [told(send(*sent)) for *sent, _ in NOT_IMPORTED]

        assert found == [refusal for *_, refusal in NOT_IMPORTED]
        assert get("/statements") == []

    def test_of_a_file_about_several_one_is_named(self, send):
        file = MARCH + mt940("C1,00 NONREF other", closing="1,00", account="OTHER")

        [statement] = send(file, "account=assets:bank&bank_account=OTHER").json()["data"]

        assert (statement["bank_account"], statement["closing"]) == ("OTHER", "1.00")

    def test_files_may_be_as_large_as_batches(self, send, service):
        body = b" " * (service.limits.body_bytes + 1)

        assert told(send(body)) == (400, "unknown_statement_format")
        assert told(send(b" " * (service.limits.batch_bytes + 1))) == (413, "payload_too_large")

    def test_pages_follow_one_another(self, send, alice, shop, clock):
        for number in (1, 2, 3):
            clock.forward(seconds=1)
            send(mt940(f"C{number},00 NONREF x", closing=f"{number},00", number=f"{number}/1"))

        seen, cursor = [], ""
        while cursor is not None:
            page = alice.get(f"/ledgers/{shop}/statements?limit=2{cursor and f'&cursor={cursor}'}").json()
            seen += [each["number"] for each in page["data"]]
            cursor = page["metadata"]["pagination"]["next_cursor"]
        assert seen == ["1/1", "2/1", "3/1"]

    def test_what_is_not_there_is_told(self, alice, shop, post):
        found = [(path, told(alice.get(f"/ledgers/{shop}{path}"))) for path, _ in NOT_THERE]

        assert found == NOT_THERE


class TestReconciling:
    def run(self, client, shop, rules=None):
        answer = client.post(f"/ledgers/{shop}{RUN}/runs", rules)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def test_a_run_makes_what_is_certain_and_suggests_the_rest(self, alice, shop, send, post, get):
        invoice, cash = post("30.00", reference="INV-1"), post("-5.00", description="till")
        send(MARCH)

        proposed = get(f"{RUN}/suggestions")
        done = self.run(alice, shop)

        assert [each["is_certain"] for each in proposed] == [True, False]
        [made], [suggested] = done["made"], done["suggested"]
        assert (made["stage"], made["why"], made["transactions"]) == (
            "ids", {"reference": "INV-1"}, [{"id": invoice, "amount": "30.00", "amount_minor": "3000"}],
        )  # fmt: skip
        assert made["made_by"] == f"user:{alice.user_id}"
        assert (suggested["transactions"][0]["id"], suggested["rivals"]) == (cash, 1)
        assert get(f"{RUN}/suggestions") == [suggested]
        assert get(f"{RUN}/matches") == [made]

    def test_a_match_by_hand_takes_what_is_open(self, alice, shop, send, post, get):
        cash = post("-5.00")
        send(MARCH)
        left = get(f"{RUN}/unmatched")
        line = next(each["id"] for each in left["lines"] if each["open"] == "-5.00")

        part = {"lines": [{"id": line, "amount": "-2.00"}], "transactions": [{"id": cash, "amount": "-2.00"}]}
        rest = {"lines": [{"id": line}], "transactions": [{"id": cash, "amount": None}]}
        first, second = (alice.post(f"/ledgers/{shop}{RUN}/matches", each) for each in (part, rest))

        assert (first.status_code, second.status_code) == (201, 201)
        assert second.json()["data"]["lines"] == [{"id": line, "amount": "-3.00", "amount_minor": "-300"}]
        assert [each["open"] for each in get(f"{RUN}/unmatched")["lines"]] == ["30.00"]
        assert get(f"{RUN}/unmatched")["transactions"] == []

    def test_what_a_tolerance_booked_is_reversed_when_it_is_undone(self, alice, shop, send, post, get):
        post("29.95", description="Acme order")
        send(mt940("C30,00 NONREF order?32Acme", closing="30,00"))
        rules = {"tolerance": "0.10", "tolerance_account": "expenses:fees", "window_days": 3}

        [made] = self.run(alice, shop, rules)["made"]
        undone = alice.delete(f"/ledgers/{shop}{RUN}/matches/{made['id']}")

        assert (made["tolerance"], made["tolerance_account"]) == ("0.05", "expenses:fees")
        assert undone.status_code == 200
        assert undone.json()["data"]["undone_by"] == f"user:{alice.user_id}"
        assert get("/accounts/assets:bank/balance")["posted"] == "29.95"
        assert get(f"{RUN}/matches") == []
        assert get(f"{RUN}/matches?undone=true") == [undone.json()["data"]]
        assert told(alice.delete(f"/ledgers/{shop}{RUN}/matches/{made['id']}")) == (409, "match_already_undone")

    def test_a_tolerance_account_that_may_not_be_booked_stops_the_run(self, alice, shop, send, post, get):
        post("29.95", description="Acme order")
        send(mt940("C30,00 NONREF order?32Acme", closing="30,00"))
        alice.post(f"/ledgers/{shop}/accounts", {"account": "expenses:usd", "currency": "USD"})
        rules = {"tolerance": "0.10", "tolerance_account": "expenses:usd"}

        assert told(alice.post(f"/ledgers/{shop}{RUN}/runs", rules)) == (422, "currency_mismatch")
        assert get(f"{RUN}/matches") == []

    def test_a_match_is_undone_where_it_is(self, alice, shop, send, post):
        post("30.00", reference="INV-1")
        send(MARCH)
        [made] = self.run(alice, shop)["made"]
        alice.post(f"/ledgers/{shop}/accounts", {"account": "assets:other", "currency": "EUR"})

        elsewhere = alice.delete(f"/ledgers/{shop}/reconciliation/assets:other/matches/{made['id']}")
        absent = alice.delete(f"/ledgers/{shop}{RUN}/matches/{ABSENT}")

        assert told(elsewhere) == told(absent) == (404, "match_not_found")

    def test_both_sides_are_proved(self, alice, shop, send, post, get):
        post("30.00", reference="INV-1")
        send(MARCH)
        self.run(alice, shop)

        proof = get(f"{RUN}/proof")

        assert proof["is_proved"] is True
        bank, book = proof["bank"], proof["book"]
        assert (bank["opening"], bank["matched"], bank["unmatched"], bank["closing"]) == (
            "0.00", "30.00", "-5.00", "25.00",
        )  # fmt: skip
        assert (book["matched_minor"], book["unmatched_count"], book["difference"]) == ("3000", 0, "0.00")

    def test_without_statements_the_bank_has_no_balances(self, post, get):
        post("30.00")

        assert (get(f"{RUN}/proof")["bank"]["opening"], get(f"{RUN}/proof")["bank"]["closing_minor"]) == (None, None)

    def test_matches_that_cannot_be_are_refused(self, alice, shop, post):
        found = [(sent, told(alice.post(f"/ledgers/{shop}{RUN}/matches", sent))) for sent, _ in NOT_MATCHED]

        assert found == NOT_MATCHED

    def test_more_than_is_open_is_refused(self, alice, shop, send, post, get):
        paid = post("50.00")
        send(MARCH)
        line = get(f"{RUN}/unmatched")["lines"][0]["id"]

        sent = {"lines": [{"id": line, "amount": "40.00"}], "transactions": [{"id": paid, "amount": "40.00"}]}

        assert told(alice.post(f"/ledgers/{shop}{RUN}/matches", sent)) == (422, "over_allocated")

    def test_rules_that_cannot_be_are_refused(self, alice, shop, post):
        for rules in ({"window_days": "many"}, {"window_days": -1}, {"tolerance": 1.5}, {"stage": "x"}):
            assert alice.post(f"/ledgers/{shop}{RUN}/runs", rules).status_code == 400
