"""Prism, validating by the Berlin Group's own OpenAPI document as a proxy, finds nothing to complain about.

Runs where `prism` (npm: @stoplight/prism-cli 5.14) is on PATH or in the directory LEDGERCORE_JUDGE_PRISM, and
LEDGERCORE_JUDGE_BERLIN_GROUP names the document `psd2-api_v1.3.11-2021-10-01v1.yaml`, which is in the jar of
de.adorsys.psd2:xs2a-impl:13.4 on Maven Central, under `static`.
"""

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from .conftest import BerlinGroup, code_of

PRISM = shutil.which("prism", path=os.environ.get("LEDGERCORE_JUDGE_PRISM")) or shutil.which("prism")
DOCUMENT = os.environ.get("LEDGERCORE_JUDGE_BERLIN_GROUP", "")
ADDRESS = {"PSU-IP-Address": "192.0.2.1"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PRISM is None, reason="prism is neither on PATH nor in LEDGERCORE_JUDGE_PRISM"),
    pytest.mark.skipif(not Path(DOCUMENT).is_file(), reason="LEDGERCORE_JUDGE_BERLIN_GROUP names no OpenAPI document"),
]


class Judged(BerlinGroup):
    """Calls the API through the proxy, and the pages of OAuth beside it."""

    proxy_url = ""

    def call(self, method, path, **options):
        # What the proxy's formats take for a web address is a public one, so that is the name we are known by.
        headers = ADDRESS | {"X-Forwarded-Host": "bank.example.com"} | options.pop("headers", {})
        answer = self.http.request(
            method,
            self.proxy_url + path.removeprefix("/bg"),
            headers={
                "X-Request-ID": "99391c7e-ad88-49ec-a2ad-99ddcb1f7721",
                "Consent-ID": self.consent_id,
                "Authorization": f"Bearer {self.tokens.get('access_token', 'none')}",
            }
            | headers,
            **options,
        )
        assert "sl-violations" not in answer.headers, json.loads(answer.headers["sl-violations"])
        return answer

    def ask(self, **changed):
        return self.call("POST", "/bg/v1/consents", json=self.consent_body(**changed))


@pytest.fixture
def judged(sandbox, http):
    """A caller through a proxy that refuses every violation, of requests and of answers."""
    assert PRISM is not None
    command = [PRISM, "proxy", DOCUMENT, sandbox.berlin_group_url, "--errors", "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        ready = next(line for line in process.stdout if "listening on" in line)
        threading.Thread(target=process.stdout.read).start()
        caller = Judged(sandbox, http)
        caller.proxy_url = ready.split("listening on ")[1].strip()
        yield caller
        process.terminate()


def test_no_answer_of_the_whole_story_violates_the_document(judged):
    judged.log_in()
    consent, account = f"/bg/v1/consents/{judged.consent_id}", f"/accounts/{judged.account_id()}"
    asked = [
        judged.call("GET", consent),
        judged.call("GET", f"{consent}/status"),
        judged.get("/accounts", withBalance="true"),
        judged.get(account),
        judged.get(f"{account}/balances"),
        judged.get(f"{account}/transactions", bookingStatus="pending"),
    ]
    report = judged.report(itemsPerPage=10)
    pages = [report]
    while "next" in report["_links"]:
        report = judged.call("GET", report["_links"]["next"]["href"]).json()["transactions"]
        pages.append(report)

    assert [answer.status_code for answer in asked] == [200] * 6
    assert [len(page["booked"]) for page in pages] == [10, 10, 7]
    assert judged.call("DELETE", consent).status_code == 204


def test_no_refusal_violates_the_document(judged):
    judged.log_in()
    account = f"/accounts/{judged.account_id()}"
    for kind in ("429", "500"):
        judged.sandbox.control.fault(kind)

    told = [
        judged.get("/accounts"),
        judged.get("/accounts"),
        judged.get("/accounts/none/balances"),
        judged.get(f"{account}/transactions", bookingStatus="booked"),
        judged.ask(validUntil="2026-02-28"),
        judged.call("GET", "/bg/v1/consents/none"),
        judged.call("GET", "/bg/v1/accounts", headers={"Authorization": "Bearer none"}),
    ]
    judged.sandbox.control.advance(3_600)
    told.append(judged.get("/accounts"))

    assert [(answer.status_code, code_of(answer)) for answer in told] == [
        (429, "ACCESS_EXCEEDED"),
        (500, "INTERNAL_SERVER_ERROR"),
        (404, "RESOURCE_UNKNOWN"),
        (400, "FORMAT_ERROR"),
        (400, "FORMAT_ERROR"),
        (403, "CONSENT_UNKNOWN"),
        (401, "TOKEN_UNKNOWN"),
        (401, "TOKEN_EXPIRED"),
    ]


def test_the_judge_is_awake(judged):
    """Without the name of a public host it finds the address of a new consent wrong."""
    headers = ADDRESS | {"X-Request-ID": "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"}

    answer = judged.http.post(f"{judged.proxy_url}/v1/consents", json=judged.consent_body(), headers=headers)

    [violation] = json.loads(answer.headers["sl-violations"])
    assert violation["location"] == ["response", "header", "location"]
