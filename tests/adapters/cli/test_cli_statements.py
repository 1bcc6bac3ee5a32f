"""Statements and their reconciliation from the command line."""

import pytest

ORDER = {
    "message_id": "M-1",
    "requested_on": "2026-03-02",
    "debtor_name": "Muster & Söhne",
    "debtor_iban": "DE02 1203 0000 0000 2020 51",
    "transfers": [
        {"end_to_end_id": "E-1", "amount": "12.50", "creditor_name": "Zoë", "creditor_iban": "NL91ABNA0417164300"},
        {
            "end_to_end_id": "E-2",
            "amount": "7.50",
            "creditor_name": "Ben",
            "creditor_iban": "NL91ABNA0417164300",
            "structured_reference": "RF18539007547034",
        },
    ],
}
PAIN002 = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
<GrpHdr><MsgId>A-1</MsgId><CreDtTm>2026-03-02T09:00:00Z</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>M-1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>PART</GrpSts>
</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>M-1</OrgnlPmtInfId>
<TxInfAndSts><OrgnlEndToEndId>E-2</OrgnlEndToEndId><TxSts>RJCT</TxSts>
<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed</AddtlInf></StsRsnInf></TxInfAndSts>
</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"""
ABSENT = "01970000-0000-7000-8000-00000000abcd"
BANK = ("--account", "assets:bank")


def mt940(*entries, opening="0,00", closing="0,00", number="1/1", account="12030000/202051"):
    """A statement of March; an entry is mark, amount, reference and text, as in `C30,00 INV-1 Ada`."""
    lines = [":20:MARCH", f":25:{account}", f":28C:{number}", f":60F:C260301EUR{opening}"]
    for entry in entries:
        amount, reference, text = entry.split(" ", 2)
        lines += [f":61:2603010301{amount}NTRF{reference}", f":86:?20{text}"]
    return "\n".join([*lines, f":62F:C260302EUR{closing}", "-", ""])


MARCH = mt940("C100,00 top-up invoice", "D5,00 NONREF cash", closing="95,00")


@pytest.fixture
def march(books, write):
    """The ledger with 100.00 in the bank, and the path of a file that tells of them and of 5.00 in cash."""
    return books, write("march.sta", MARCH)


class TestStatements:
    def test_files_are_imported_once(self, march, write):
        """What is known is told as known."""
        books, file = march
        other = write("april.sta", mt940("C1,00 NONREF gift", opening="95,00", closing="96,50", number="2/1"))

        first = books("statement", "import", file, other, *BANK)
        again = books.json("statement", "import", file, other, *BANK)

        assert first.status == 0
        [_, _, of_march, of_april] = first.out.splitlines()
        assert of_march.split()[1:] == ["mt940", "1/1", "2026-03-02", "0.00", "95.00", "EUR", "yes", "2"]
        assert of_april.split()[6:] == ["EUR", "off", "by", "-0.50", "1"]
        assert [(each["is_new"], each["file_name"]) for each in again["items"]] == [
            (False, "march.sta"), (False, "april.sta"),
        ]  # fmt: skip
        assert "known" in books("statement", "import", file, *BANK).out

    def test_nothing_is_stored_before_every_file_is_read(self, march, write):
        """The error names the file."""
        books, file = march
        bad = write("bad.sta", MARCH.replace(":61:26", ":61:xx"))

        result = books("statement", "import", file, bad, *BANK, "--json")

        assert (result.status, result.problem["code"]) == (2, "malformed_statement")
        assert result.problem["details"]["file"] == bad
        assert "ledgercore statement import" in books("statement", "list").out

    def test_a_dialect_of_ones_own_is_declared_in_a_file(self, books, write):
        """And a bad one says which of its members is wrong."""
        file = write("mine.csv", "Tag;Wert;Wozu\n02.03.2026;-5,00;cash\n")
        columns = 'name = "mine"\ndelimiter = ";"\ndecimal = ","\ndate_format = "%d.%m.%Y"\nbooked_on = "Tag"\n'
        mine = write("mine.toml", columns + 'amount = "Wert"\ntext = ["Wozu"]\ncurrency = "EUR"\n')
        bad = write("bad.toml", columns + "colour = 1\n")

        done = books.json("statement", "import", file, "--dialect-file", mine, *BANK)
        refused = books("statement", "import", file, "--dialect-file", bad, *BANK, "--json")

        assert [each["lines_added"] for each in done["items"]] == [1]
        assert (refused.problem["code"], refused.problem["details"]["field"]) == ("invalid_argument", "colour")

    def test_files_come_from_standard_input_too(self, books):
        """As from any other program."""
        done = books.json("statement", "import", "-", *BANK, stdin=MARCH.encode())

        assert done["items"][0]["lines_added"] == 2

    def test_what_was_read_in_spite_of_a_fault_is_told(self, books, write):
        """Beside the table, once."""
        file = write("odd.sta", mt940("C1,00 NONREF gift", closing="1,00").replace("260301030", "260231030"))

        first, again = (books("statement", "import", file, *BANK) for _ in range(2))

        assert "odd.sta: " in first.err
        assert again.err == ""

    def test_the_format_and_the_bank_account_may_be_named(self, books, write):
        """Of a file about several accounts, one is imported."""
        file = write("both.sta", MARCH + mt940("C1,00 NONREF gift", closing="1,00", account="OTHER"))

        several = books("statement", "import", file, *BANK, "--json")
        done = books.json("statement", "import", file, *BANK, "--bank-account", "OTHER", "--format", "mt940")

        assert (several.status, several.problem["code"]) == (2, "malformed_statement")
        assert [each["bank_account"] for each in done["items"]] == ["OTHER"]

    def test_statements_and_lines_are_shown(self, march):
        """Of an account, or of one statement."""
        books, file = march
        [imported] = books.json("statement", "import", file, *BANK)["items"]

        listed = books("statement", "list", *BANK).out
        shown = books("statement", "show", imported["id"]).out
        of_account = books.json("statement", "lines", *BANK, "--limit", "1")
        rest = books.json("statement", "lines", "--statement", imported["id"], "--cursor", of_account["next_cursor"])
        table = books("statement", "lines", *BANK).out

        assert imported["id"] in listed
        assert "closing" in shown
        assert "95.00" in shown
        assert [each["text"] for each in of_account["items"] + rest["items"]] == ["invoice", "cash"]
        assert "-5.00" in table

    @pytest.mark.parametrize(
        ("line", "status"),
        [
            (f"statement show {ABSENT}", 3),
            (f"statement lines --statement {ABSENT}", 3),
            ("statement lines --account assets:none", 3),
            ("statement lines", 2),
            (f"statement lines --account assets:bank --statement {ABSENT}", 2),
            ("statement import", 2),
            ("reconcile run --account assets:none", 3),
            ("reconcile run --account assets::x", 2),
            ("reconcile run --account assets:bank --tolerance 1.00", 2),
            ("reconcile run --account assets:bank --window-days soon", 2),
            (f"reconcile undo {ABSENT}", 3),
            (f"reconcile match --account assets:bank --line {ABSENT} --transaction key:top-up", 3),
            (f"reconcile match --account assets:bank --line {ABSENT}=x --transaction key:top-up", 2),
            ("reconcile match --account assets:bank --line 17 --transaction key:top-up", 3),
            ("reconcile match --account assets:bank --line seventeen --transaction key:top-up", 2),
        ],
    )
    def test_what_is_wrong_has_its_status(self, books, line, status):
        """Nothing is guessed."""
        assert books(*line.split()).status == status


class TestReconciling:
    def test_a_month_is_reconciled(self, march, clock):
        """Certain matches are made, a guess is suggested with its reasons, and a proof closes the month."""
        books, file = march
        books.json("statement", "import", file, *BANK)
        books.json("post", "wallets:ann", "assets:bank", "5.00", "EUR", "--key", "till", "--description", "till")

        suggested = books("reconcile", "suggest", *BANK).out.splitlines()
        ran = books("reconcile", "run", *BANK)
        before = books.json("reconcile", "unmatched", *BANK)

        assert "reference top-up, certain" in " ".join(suggested[2].split()).lower()
        assert ran.status == 0
        made, guesses = ran.out.split("\n\n")
        assert made.splitlines()[2].split()[1:4] == ["ids", "100.00", "EUR"]
        assert "counterparty not named" in guesses
        assert [line.split()[-1] for line in guesses.splitlines()[2:]] == [
            str(before["lines"][0]["number"]), before["transactions"][0]["id"],
        ]  # fmt: skip
        line = before["lines"][0]["id"]
        matched = books.json("reconcile", "match", *BANK, "--line", f"{line}=-5.00", "--transaction", "key:till")
        assert (matched["stage"], matched["made_by"]) == ("manual", "operator")
        assert books("reconcile", "unmatched", *BANK).out == "everything is explained\n"
        proof = books("reconcile", "proof", *BANK)
        assert proof.status == 0
        assert [line.split() for line in proof.out.splitlines() if line[:1] not in ("-", "")] == [
            ["assets:bank", "EUR", "bank", "lines", "ledger", "transactions"],
            ["opening", "0.00", "0.00"],
            ["matched", "95.00", "2", "95.00", "2"],
            ["unmatched", "0.00", "0", "0.00", "0"],
            ["closing", "95.00", "95.00"],
            ["difference", "0.00", "0.00"],
            ["proved:", "both", "sides", "add", "up"],
        ]

    def test_a_match_is_undone_and_stays_on_record(self, march):
        """It is listed among the undone ones."""
        books, file = march
        books.json("statement", "import", file, *BANK)
        [made] = books.json("reconcile", "run", *BANK)["made"]

        undone = books.json("reconcile", "undo", made["id"])
        again = books("reconcile", "undo", made["id"], "--json")

        assert undone["undone_by"] == "operator"
        assert (again.status, again.problem["code"]) == (4, "match_already_undone")
        assert books("reconcile", "matches", *BANK).out == "no matches\n"
        assert books.json("reconcile", "matches", *BANK, "--undone")["items"] == [undone]

    def test_a_difference_within_tolerance_is_booked(self, books, write):
        """To the account that is named."""
        file = write("march.sta", mt940("C99,95 NONREF top?32Ann", closing="99,95"))
        books.json("reverse", "key:top-up")
        books.json("post", "assets:bank", "wallets:ann", "100.00", "EUR", "--description", "Ann")
        books.json("statement", "import", file, *BANK)

        rules = ("--tolerance", "0.10", "--tolerance-account", "wallets:ann", "--window-days", "3")
        suggested = books("reconcile", "suggest", *BANK, *rules).out
        [made] = books.json("reconcile", "run", *BANK, *rules)["made"]

        assert "within tolerance" in suggested
        assert (made["tolerance"], books.json("balance", "assets:bank")["posted"]) == ("-0.05", "99.95")

    def test_a_reference_with_another_amount_is_suggested_in_part(self, books, write):
        """Somebody has to say that the rest comes later."""
        books.json("statement", "import", write("a.sta", mt940("C40,00 top-up part", closing="40,00")), *BANK)

        assert "in part, not certain" in books("reconcile", "suggest", *BANK).out

    def test_a_month_that_is_missing_is_named(self, march, write):
        """With status 6, as for every check that found something."""
        books, file = march
        may = write("may.sta", mt940(opening="200,00", closing="200,00", number="5/1").replace("260302", "260531"))
        books.json("statement", "import", file, may, *BANK)

        proof = books("reconcile", "proof", *BANK)

        assert proof.status == 6
        assert "NOT PROVED" in proof.out
        assert "may.sta: statement 5/1 opens where none has closed" in proof.out


class TestPaymentFiles:
    def test_an_order_becomes_a_file_for_the_bank(self, console, write, tmp_path):
        """Names are spelt as banks take them."""
        file = tmp_path / "pain001.xml"

        done = console("statement", "write-pain001", write("order.json", ORDER), "-o", str(file))

        assert done.out == f"{file}: 2 transfers, 20.00 EUR\n"
        written = file.read_text(encoding="utf-8")
        assert "<Nm>Muster + Sohne</Nm>" in written
        assert written.count("<CdtTrfTxInf>") == 2

    def test_an_order_that_cannot_be_is_refused_and_nothing_written(self, console, write, tmp_path):
        """With the field."""
        file = tmp_path / "pain001.xml"
        first: dict[str, str] = ORDER["transfers"][0]  # type: ignore[assignment]
        order = {**ORDER, "transfers": [{**first, "creditor_iban": "NL00"}]}

        result = console("statement", "write-pain001", write("order.json", order), "-o", str(file), "--json")

        assert (result.status, result.problem["code"]) == (2, "invalid_iban")
        assert not file.exists()

    def test_what_the_bank_answers_is_shown(self, console, write):
        """What became of each payment, and why."""
        shown = console("statement", "read-pain002", write("a.xml", PAIN002)).out
        told = console.json("statement", "read-pain002", write("a.xml", PAIN002))

        assert [line.split() for line in shown.splitlines()[2:]] == [
            ["file", "M-1", "PART"], ["batch", "M-1"], ["transfer", "E-2", "RJCT", "AC04", "closed"],
        ]  # fmt: skip
        assert told["batches"][0]["transfers"][0]["reasons"] == [{"code": "AC04", "texts": ["closed"]}]
        assert console("statement", "read-pain002", write("b.xml", "<a/>")).status == 2
