"""pymonzo, written by others against the real Monzo, takes the sandbox for it."""

import json
import os
import socket
import threading
import time
from datetime import timedelta
from urllib.request import urlopen

import pytest

from ledgercore_sandbox import CLIENT_ID, CLIENT_SECRET

from .conftest import NOW

pymonzo = pytest.importorskip("pymonzo", reason="pymonzo is not installed")
OAuth2Client = pytest.importorskip("pymonzo.client").OAuth2Client


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture
def kept_umask():
    """The client narrows the mask of the whole process when it saves its tokens, and leaves it so."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture
def api(kept_umask, sandbox, monkeypatch, tmp_path):
    """The client, pointed at the sandbox and logged in through its own web server."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pymonzo.MonzoAPI, "api_url", sandbox.monzo_url)
    monkeypatch.setattr(pymonzo.MonzoAPI, "authorization_endpoint", f"{sandbox.monzo_url}/authorize")
    monkeypatch.setattr(pymonzo.MonzoAPI, "token_endpoint", f"{sandbox.monzo_url}/oauth2/token")
    monkeypatch.setattr(pymonzo.MonzoAPI, "settings_path", tmp_path / "pymonzo.json")
    browsers, clients = [], []

    def recorded(*arguments, **options):
        # Remembered, because nobody else closes it.
        clients.append(OAuth2Client(*arguments, **options))
        return clients[-1]

    monkeypatch.setattr("pymonzo.client.OAuth2Client", recorded)

    def browse(url):
        # The client listens only after it has opened the browser.
        def visit():
            while True:
                try:
                    return urlopen(f"{url}&auto=yes", timeout=10).close()
                except OSError:
                    time.sleep(0.02)

        browsers.append(threading.Thread(target=visit))
        browsers[-1].start()

    monkeypatch.setattr("webbrowser.open", browse)
    redirect = f"http://127.0.0.1:{free_port()}/pymonzo"
    pymonzo.MonzoAPI.authorize(CLIENT_ID, CLIENT_SECRET, redirect_uri=redirect)
    browsers[0].join(10)
    yield pymonzo.MonzoAPI()
    for client in clients:
        client.close()


def test_pymonzo_reads_everything(api, sandbox):
    [true] = [
        each
        for each in sandbox.control.accounts()
        if each["bank"] == "monzo" and each["customer_id"] == api.whoami().user_id
    ]
    account = api.accounts.get_default_account()
    rows = api.transactions.list(expand_merchant=True, limit=100)
    one = api.transactions.get(rows[1].id, expand_merchant=True)
    some = api.transactions.list(since=NOW - timedelta(days=40), before=NOW - timedelta(days=20))

    assert (account.id, account.currency, account.type.value) == (true["id"], "GBP", "uk_retail")
    assert api.balance.get().balance == true["expected_minor"]
    assert api.pots.list() == []
    assert [row.id for row in rows] == [row["id"] for row in sandbox.control.transactions(account.id)]
    assert one == rows[1]
    assert one.merchant.address.city == "London"
    assert [row.settled is None for row in rows[-4:]] == [False, True, True, True]
    assert 0 < len(some) < len(rows)
    assert {row.id for row in some} < {row.id for row in rows}


def test_pymonzo_writes_notes_feed_items_and_webhooks(api):
    row = api.transactions.list()[0]
    noted = api.transactions.annotate(row.id, {"notes": "for work", "ref": "17"})
    erased = api.transactions.annotate(row.id, {"ref": ""})
    item = pymonzo.feed.schemas.MonzoBasicFeedItem(title="t", body="b", image_url="https://example.com/i.png")

    assert (noted.notes, noted.metadata) == ("for work", {"notes": "for work", "ref": "17"})
    assert erased.metadata == {"notes": "for work"}
    assert api.feed.create(item) == {}
    webhook = api.webhooks.register("https://example.com/hook")
    assert api.webhooks.list() == [webhook]
    assert api.webhooks.delete(webhook.id) == {}
    assert api.webhooks.list() == []


def test_pymonzo_refreshes_its_token_and_keeps_the_new_one(api, sandbox):
    first = json.loads(api.settings_path.read_text())["token"]
    sandbox.control.advance(6 * 3_600)
    api.session.token["expires_at"] = 0

    api.whoami()

    second = json.loads(api.settings_path.read_text())["token"]
    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] != first["refresh_token"]


def test_pymonzo_understands_refusals(api, sandbox):
    account_id = api.accounts.get_default_account().id
    sandbox.control.advance(301)
    with pytest.raises(pymonzo.exceptions.MonzoAccessDenied):
        api.transactions.list(account_id, since=NOW - timedelta(days=100))
    # Which of its two HTTP libraries the client got decides whether it wraps other refusals.
    sandbox.control.fault("429")
    with pytest.raises(Exception, match=r"429|Too many requests"):
        api.balance.get(account_id)
    with pytest.raises(Exception, match=r"404|not_found\.account"):
        api.balance.get("acc_none")
