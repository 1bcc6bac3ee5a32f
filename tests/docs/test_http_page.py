"""The first session of docs/http.md, run with bash and curl as it stands there, against a new server."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
LEDGERCORE = Path(sys.executable).with_name("ledgercore")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="curl and bash are not here"),
]


def documents(text: str) -> list[dict]:
    """The JSON documents that follow one another in a text."""
    found, place = [], 0
    while place < len(text):
        document, place = json.JSONDecoder().raw_decode(text, place)
        found.append(document)
        place += len(text[place:]) - len(text[place:].lstrip())
    return found


def test_the_first_session_does_what_the_page_says() -> None:
    """Every request succeeds; a hold of 30.00 on 100.00 is captured with 25.00."""
    [session] = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LEDGERCORE_")}
    server = subprocess.Popen(
        [LEDGERCORE, "--database", "memory", "serve", "--port", "0"], stderr=subprocess.PIPE, text=True, env=clean
    )
    try:
        assert server.stderr is not None
        page = next(line.split()[0] for line in server.stderr if line.startswith("http://"))
        next(line for line in server.stderr if "startup complete" in line)
        there = re.sub("^API=.*$", f"API={page.removesuffix('/docs')}/v1", session, count=1, flags=re.MULTILINE)
        clean["PATH"] = f"{LEDGERCORE.parent}{os.pathsep}{clean['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", there], capture_output=True, text=True, timeout=60, env=clean
        )
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=60)

    assert (done.returncode, done.stderr) == (0, "")
    user, posted, captured, balance, report = documents(done.stdout)
    assert all(document["success"] for document in (user, posted, captured, balance, report)), done.stdout
    assert user["data"]["email"] == "alice@example.com"
    assert (balance["data"]["posted"], balance["data"]["available"]) == ("75.00", "75.00")
    assert "25.00" in json.dumps(report["data"])
