"""The wheel holds the packages, whole and alone, and works where the checkout is out of sight."""

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import attrs
import pytest

ROOT = Path(__file__).parents[2]
SHELVES = (ROOT / "src", ROOT / "src" / "adapters", ROOT / "src" / "entrypoints")
PACKAGES = {init.parent.name: init.parent for shelf in SHELVES for init in shelf.glob("*/__init__.py")}

# What pip says when it is the network rather than the wheel that fails.
NO_NETWORK = ("connection error", "ConnectionError", "Failed to establish", "Max retries", "Retrying (")

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]


def run(command: Sequence[str | Path], *, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV"))}
    result = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    if result.returncode:
        pytest.fail(f"{command[0]} failed:\n{result.stdout}\n{result.stderr}")
    return result.stdout


def package_files() -> set[str]:
    return {
        (Path(name) / file.relative_to(package)).as_posix()
        for name, package in PACKAGES.items()
        for file in package.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and not file.name.startswith(".")
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        cwd=folder,
    )
    [built] = folder.glob("*.whl")
    return built


@attrs.frozen
class Installed:
    """The wheel and its dependencies, as a user has them."""

    python: Path
    options: tuple[str, ...]
    preamble: str
    site: Path
    folder: Path

    def run(self, code: str) -> str:
        return run([self.python, *self.options, "-c", self.preamble + code], cwd=self.folder)


@pytest.fixture(scope="module")
def in_new_environment(wheel: Path, tmp_path_factory) -> Installed:
    """Do what a user does, if the network lets us."""
    folder = tmp_path_factory.mktemp("user")
    run([sys.executable, "-m", "venv", folder / "venv"], cwd=folder)
    python = folder / "venv" / "bin" / "python"
    pip = [str(python), "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries=1"]
    result = subprocess.run([*pip, f"{wheel}[all]"], cwd=folder, capture_output=True, text=True)
    if result.returncode:
        if any(sign in result.stderr for sign in NO_NETWORK):
            pytest.skip("no network to install dependencies from")
        pytest.fail(result.stderr)
    site = run([python, "-I", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], cwd=folder)
    return Installed(python=python, options=("-I",), preamble="", site=Path(site.strip()), folder=folder)


@pytest.fixture(scope="module")
def beside_dependencies(wheel: Path, tmp_path_factory) -> Installed:
    """Unpack the wheel; take dependencies from here, but not the .pth file that leads to the checkout."""
    folder = tmp_path_factory.mktemp("offline")
    target = folder / "target"
    pip = [sys.executable, "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*pip[:4], "--version"], capture_output=True).returncode:  # made by uv, without pip
        pip = ["uv", "pip", "install", "--quiet", "--offline", "--python", sys.executable]
    run([*pip, "--no-deps", "--no-index", "--target", target, wheel], cwd=folder)
    paths = [str(target), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    return Installed(
        python=Path(sys.executable),
        options=("-I", "-S"),  # -S: without site, nothing reads the .pth files
        preamble=f"import sys; sys.path[:0] = {paths!r}\n",
        site=target,
        folder=folder,
    )


@pytest.fixture(params=["in_new_environment", "beside_dependencies"], scope="module")
def installed(request) -> Installed:
    return request.getfixturevalue(request.param)


def test_wheel_holds_the_packages_and_nothing_else(wheel: Path):
    names = set(zipfile.ZipFile(wheel).namelist())

    assert {name for name in names if ".dist-info/" not in name} == package_files()
    assert not {name.partition("/")[0] for name in names} & {"adapters", "entrypoints", "src", "tests"}
    assert {f"{package}/py.typed" for package in PACKAGES} <= names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_source_distribution_builds_the_same_wheel(wheel: Path, tmp_path: Path):
    """No --wheel and no --sdist: the wheel is built from the source distribution."""
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path, ROOT], cwd=tmp_path)

    [source], [rebuilt] = tmp_path.glob("*.tar.gz"), tmp_path.glob("*.whl")
    with tarfile.open(source) as archive:
        shipped = {name.partition("/")[2] for name in archive.getnames()}
    assert sorted(zipfile.ZipFile(rebuilt).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())
    assert {"CHANGELOG.md", "LICENSE", "README.md", "dev", "pyproject.toml"} <= shipped
    assert "tests/packaging/test_wheel.py" in shipped
    assert not {name for name in shipped if name.startswith((".venv", ".git/")) or "__pycache__" in name}


def test_every_package_is_imported_from_the_wheel(installed: Installed):
    code = "import json; print(json.dumps([__import__(name).__file__ for name in {names!r}]))"

    files = json.loads(installed.run(code.format(names=sorted(PACKAGES))))

    expected = [installed.site / name / "__init__.py" for name in sorted(PACKAGES)]
    assert [Path(file) for file in files] == expected


def test_every_file_is_installed(installed: Installed):
    """Among them py.typed and the migrations, which nothing imports by name."""
    missing = {name for name in package_files() if not (installed.site / name).is_file()}

    assert missing == set()


def test_command_prints_its_help(installed: Installed):
    printed = installed.run(
        "import sys; from importlib.metadata import distribution\n"
        "scripts = distribution('ledgercore-kit').entry_points\n"
        "[script] = scripts.select(group='console_scripts', name='ledgercore')\n"
        "sys.argv = ['ledgercore', '--help']; sys.exit(script.load()())"
    )

    assert "Usage: ledgercore" in printed


def test_command_is_on_the_path_of_the_environment(in_new_environment: Installed):
    command = in_new_environment.python.parent / "ledgercore"

    assert "Usage: ledgercore" in run([command, "--help"], cwd=in_new_environment.folder)
