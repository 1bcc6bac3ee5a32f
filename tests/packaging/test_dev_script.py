"""The ./dev script, on a bare PATH with stand-ins for python3 and uv that write down how they were called."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "dev"
TOOLS = ("basename", "cat", "cksum", "dirname", "mkdir", "mv", "rm", "sed")

FAKE_PYTHON = """#!/bin/sh
echo "python $*" >>"$LOG"
[ "$*" != "-m pip --version" ] || exit 0
case "$*" in
"-c "*) exit "${FAKE_VERSION_CODE:-0}" ;;
"-m venv "*)
    [ "${FAKE_VENV_CODE:-0}" = 0 ] || { echo "ensurepip is not available" >&2; exit 1; }
    for folder; do :; done
    mkdir -p "$folder/bin"
    cp "$0" "$folder/bin/python"
    cat >"$folder/bin/ledgercore" <<'COMMAND'
#!/bin/sh
{ echo ledgercore; for word; do echo "<$word>"; done; pwd; } >>"$LOG"
COMMAND
    chmod +x "$folder/bin/ledgercore"
    ;;
"-m pip install "*) exit "${FAKE_PIP_CODE:-0}" ;;
esac
"""
FAKE_UV = """#!/bin/sh
echo "uv $*" >>"$LOG"
case "$1" in venv)
    for folder; do :; done
    PATH="$BASE" python3 -m venv "$folder"
esac
"""


class Checkout:
    """A directory, with spaces in its name, that holds nothing but ./dev and a pyproject.toml."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a check out"
        self.elsewhere = folder / "elsewhere"
        self.bin = folder / "bin"
        self.log = folder / "log"
        for new in (self.root, self.elsewhere, self.bin):
            new.mkdir()
        shutil.copy(SCRIPT, self.root / "dev")
        (self.root / "pyproject.toml").write_text("[project]\n")
        for tool in (*TOOLS, "cp", "chmod"):
            (self.bin / tool).symlink_to(shutil.which(tool) or pytest.skip(f"no {tool} here"))
        self.add("python3", FAKE_PYTHON)

    @property
    def stamp(self) -> Path:
        return self.root / ".venv" / ".dev-stamp"

    def add(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def dev(self, *arguments: str, **fakes: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.bin), "LOG": str(self.log), "BASE": str(self.bin), **fakes}
        return subprocess.run(
            [str(self.root / "dev"), *arguments],
            cwd=self.elsewhere,
            env=environment,
            capture_output=True,
            text=True,
        )

    def calls(self) -> list[str]:
        """Give what was called since the last time, version probes left out."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return [line for line in lines if not re.match(r"python (-c |-m pip --version)|uv --version|import", line)]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_help_names_every_command():
    text = SCRIPT.read_text()
    commands = re.findall(r"^([a-z]+)\)$", text, flags=re.MULTILINE)

    page = subprocess.run([SCRIPT, "help"], capture_output=True, text=True, check=True).stdout

    assert commands == ["quickstart", "run", "test", "check", "bench"]
    assert all(re.search(rf"^  {command}\b", page, flags=re.MULTILINE) for command in commands)


def test_help_is_the_default():
    pages = [subprocess.run([SCRIPT, *words], capture_output=True).stdout for words in ([], ["help"], ["-h"])]

    assert pages[0] == pages[1] == pages[2] != b""


def test_unknown_command_is_refused():
    result = subprocess.run([SCRIPT, "tset"], capture_output=True, text=True)

    assert result.returncode == 2
    assert result.stderr.startswith("dev: no such command: tset\n")


@pytest.mark.parametrize("shell", ["sh", "dash", "bash", "busybox"])
def test_syntax(shell: str):
    if not (path := shutil.which(shell)):
        pytest.skip(f"no {shell} here")

    command = [path, "sh"] if shell == "busybox" else [path]
    assert subprocess.run([*command, "-n", str(SCRIPT)], capture_output=True).returncode == 0


def test_script_is_portable():
    text = SCRIPT.read_text()

    assert os.access(SCRIPT, os.X_OK)
    assert text.startswith("#!/bin/sh\n")
    assert "set -eu\n" in text
    bash_only = r"\[\[|<<<|\$'|\blocal \b|\bfunction \b|\bsource \b|\bpipefail\b|&>|echo -[en]|\bwhich\b(?! )"
    assert not re.search(bash_only, text)


def test_shellcheck_is_content():
    if not (shellcheck := shutil.which("shellcheck")):
        pytest.skip("no shellcheck here")

    result = subprocess.run([shellcheck, SCRIPT], capture_output=True, text=True)

    assert result.returncode == 0, result.stdout


def test_missing_venv_module_is_explained_in_one_line(checkout: Checkout):
    result = checkout.dev("quickstart", FAKE_VENV_CODE="1")

    assert result.returncode == 1
    _, line = result.stderr.splitlines()
    assert line.startswith("dev: python3 cannot make a virtual environment")
    assert "apt install python3-venv" in line
    assert not checkout.stamp.exists()


def test_old_python_is_explained_in_one_line(checkout: Checkout):
    result = checkout.dev("test", FAKE_VERSION_CODE="1")

    assert result.returncode == 1
    _, line = result.stderr.splitlines()
    assert line.startswith("dev: needs Python 3.11")


def test_newer_python_is_found_beside_an_old_one(checkout: Checkout):
    checkout.add("python3", "#!/bin/sh\nexit 1\n")
    checkout.add("python3.12", FAKE_PYTHON)

    assert checkout.dev("run").returncode == 0
    assert checkout.stamp.exists()


def test_chosen_python_is_used(checkout: Checkout):
    checkout.add("my python", FAKE_PYTHON)
    checkout.add("python3", "#!/bin/sh\nexit 1\n")

    assert checkout.dev("run", PYTHON=str(checkout.bin / "my python")).returncode == 0


def test_failed_installation_leaves_no_stamp(checkout: Checkout):
    failed = checkout.dev("quickstart", FAKE_PIP_CODE="1")
    assert failed.returncode == 1
    assert not checkout.stamp.exists()
    checkout.calls()

    assert checkout.dev("quickstart").returncode == 0

    assert "python -m pip install --quiet --disable-pip-version-check -e .[all]" in checkout.calls()


def test_installs_once_and_then_is_quiet(checkout: Checkout):
    first = checkout.dev("run", "accounts")
    checkout.calls()

    second = checkout.dev("run", "accounts")

    assert (first.returncode, len(first.stderr.splitlines())) == (0, 1)
    assert (second.returncode, second.stderr) == (0, "")
    assert checkout.calls() == ["ledgercore", "<accounts>", str(checkout.elsewhere)]


def test_changed_pyproject_installs_again(checkout: Checkout):
    checkout.dev("run")
    (checkout.root / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    checkout.calls()

    checkout.dev("run")

    assert [call for call in checkout.calls() if call.startswith("python")] == [
        "python -m pip install --quiet --disable-pip-version-check -e .[all]"
    ]


def test_moved_checkout_gets_a_new_environment(checkout: Checkout):
    checkout.dev("run")
    checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    checkout.calls()

    checkout.dev("run")

    assert f"python -m venv --clear {checkout.root}/.venv" in checkout.calls()


def test_tests_upgrade_the_environment_of_quickstart(checkout: Checkout):
    checkout.dev("quickstart")
    checkout.calls()

    checkout.dev("test", "-k", "holds or limits")
    upgrade = checkout.calls()
    checkout.dev("quickstart")

    assert upgrade == [
        "python -m pip install --quiet --disable-pip-version-check -e .[dev]",
        "python -m pytest -k holds or limits",
    ]
    assert checkout.calls()[0] == "ledgercore"


def test_arguments_arrive_as_given(checkout: Checkout):
    checkout.dev("quickstart", "--name", "two words", "", "*")

    calls = checkout.calls()
    assert calls[calls.index("ledgercore") + 1 : -1] == [
        "<quickstart>",
        "<--name>",
        "<two words>",
        "<>",
        "<*>",
    ]


def test_uv_is_used_where_it_is_there(checkout: Checkout):
    checkout.add("uv", FAKE_UV)

    checkout.dev("run")

    venv = f"{checkout.root}/.venv"
    [make, _, install, *_] = checkout.calls()
    assert make == f"uv venv --quiet --clear --python >=3.11,<3.15 {venv}"
    assert install == f"uv pip install --quiet --python {venv}/bin/python -e .[all]"


def test_benchmarks_are_listed_and_run_by_name(checkout: Checkout):
    bench = checkout.root / "tests" / "bench"
    bench.mkdir(parents=True)
    (bench / "bench_posting.py").touch()
    checkout.dev("bench")
    checkout.calls()

    listed, run = checkout.dev("bench"), checkout.dev("bench", "posting", "--quick")

    assert (listed.returncode, listed.stderr.splitlines()[1:]) == (2, ["  posting"])
    assert run.returncode == 0
    assert checkout.calls() == ["python tests/bench/bench_posting.py --quick"]
