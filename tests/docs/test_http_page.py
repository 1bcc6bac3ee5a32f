"""The first session of docs/http.md, run with bash and curl as it stands there, against a new server."""

import json
import shutil

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="curl and bash are not here"),
]


def test_the_first_session_does_what_the_page_says(shell) -> None:
    """Every request succeeds; a hold of 30.00 on 100.00 is captured with 25.00."""
    terminal = shell()
    with terminal.running("--database", "memory", "serve", "--port", "0", until="startup complete") as address:
        user, posted, captured, balance, report = told = terminal.run("http.md", API=f"{address}/api/v1")

    assert all(document["success"] for document in told)
    assert user["data"]["email"] == "alice@example.com"
    assert posted["success"]
    assert captured["success"]
    assert (balance["data"]["posted"], balance["data"]["available"]) == ("75.00", "75.00")
    assert "25.00" in json.dumps(report["data"])
