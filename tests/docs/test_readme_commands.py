"""The README's command lines, run in their order as a new user would."""

import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (.+)$", README, re.MULTILINE)
PASSWORD = "a phrase of many words\n"
LEDGERCORE = Path(sys.executable).with_name("ledgercore")


def test_readme_starts_with_its_two_commands() -> None:
    """The first two command lines are the main job and the tests."""
    assert COMMANDS[:2] == ["./dev quickstart", "./dev test"]


def test_every_other_command_is_one_that_dev_run_takes() -> None:
    """What is not one of the two is `./dev run`, so that it is tried below."""
    assert {command.partition(" ")[0] for command in COMMANDS} == {"./dev"}
    assert all(command.startswith("./dev run ") for command in COMMANDS[2:])


def test_commands_succeed_in_their_order(open_directory: Path, monkeypatch) -> None:
    """Each line works on what those before it left, in a database that starts empty."""
    monkeypatch.setenv("LEDGERCORE_DATABASE_URL", f"embedded:{open_directory / 'books'}")
    lines = [command.replace("./dev run", str(LEDGERCORE), 1) for command in COMMANDS if " run " in command]
    lines.insert(0, f"{LEDGERCORE} quickstart")

    served = lines.pop()
    finished = [
        subprocess.run(
            # What a terminal would be asked for.
            shlex.split(line), cwd=open_directory, capture_output=True, text=True, timeout=120, input=PASSWORD,
        )
        for line in lines
    ]  # fmt: skip
    with subprocess.Popen([*shlex.split(served), "--port", "0"], stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        told = iter(server.stderr)
        try:
            page = next(line.split()[0] for line in told if line.startswith("http://"))
            next(line for line in told if "startup complete" in line)
            with urlopen(page) as answer:
                html = answer.read()
        finally:
            server.send_signal(signal.SIGINT)
            for _ in told:
                pass

    failed = [(run.args[1:], run.stderr) for run in finished if run.returncode]
    assert failed == []
    assert b"swagger" in html
    assert server.returncode == 0
    assert "assets equal liabilities, equity and result" in finished[0].stdout
    assert "25.00" in next(run.stdout for run in finished if "register" in run.args)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    """CI calls exactly what the README says."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    commands = [line for line in script.splitlines() if line and not line.startswith("#") and "./dev" in line]

    assert [command.split()[-2:] for command in commands] == [["./dev", "test"]]
