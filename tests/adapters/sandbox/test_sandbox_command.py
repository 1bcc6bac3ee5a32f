"""`ledgercore sandbox bank` as a process of its own."""

import json
import re
import signal
import socket
import subprocess
import sys

import httpx2
import pytest

pytestmark = pytest.mark.slow

CODE = "from ledgercore_app.cli import main; main()"


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-c", CODE, "sandbox", "bank", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_command_serves_a_bank_until_interrupted():
    """It says where everything is, and ends quietly."""
    process = start("--port", "0", "--customers", "3", "--accounts", "2", "--transactions", "5", "--seed", "9")
    lines = [process.stderr.readline() for _ in range(4)]
    [url] = re.findall(r"control: (\S+)/control", "".join(lines))

    accounts = httpx2.get(f"{url}/control/accounts", timeout=30, trust_env=False).json()["accounts"]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    assert lines[0] == f"Monzo: {url}/monzo\n"
    assert lines[3].startswith("client: sandbox-client, secret: ")
    assert [account["transactions"] for account in accounts] == [5] * 12
    assert (process.returncode, out, err) == (0, "", "")


def test_a_port_that_is_taken_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start("--json", "--port", str(taken.getsockname()[1]))
        _, err = process.communicate(timeout=30)

    assert json.loads(err)["code"] == "configuration_error"
    assert process.returncode != 0
