"""Documented accounts, tried because the command line says so: once each, and never more."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.network.certificates import certificate
from tests.lan.fileservers import COUNTED, extracts
from tests.lan.lan import Lan
from tests.lan.parts import Machine, Part, Seen
from tests.lan.test_data import mariadb, postgresql, redis

from serment.core.exposure.accounts import ACCOUNTS, documented

PART = Part(8, options=("--try-default-accounts",))
HERE = Path(__file__).parent
FOLDERS: dict[str, Path] = {}


def basic(machine: Machine, account: str, mode: str = "-") -> None:
    FOLDERS[machine.name] = machine.folder
    machine.python(
        8080, HERE / "basic.py", machine.host, 8080, "Apache Tomcat/9.0.85", account, mode
    )


@PART.machine({5432: ("X09",), 7432: ("X09",)}, needs="postgresql")
def postgresql_of_an_archive(machine: Machine) -> None:
    for port, way in ((5432, "scram-sha-256"), (7432, "md5")):
        postgresql(machine, port, way)
        client = ("psql", "-h", machine.folder, "-p", port, "-U", "postgres", "-qc")
        machine.run(
            *client, f"SET password_encryption = '{way}'; CREATE ROLE pacs LOGIN PASSWORD 'pacs'"
        )
        machine.run(*client, "CREATE DATABASE pacsdb")


@PART.machine({5432: ()}, needs="postgresql")
def postgresql_changed(machine: Machine) -> None:
    postgresql(machine, 5432, "scram-sha-256")


@PART.machine({3306: ("X09",)}, needs="mariadb")
def mariadb_of_an_archive(machine: Machine) -> None:
    mariadb(machine, 3306, "CREATE USER orthanc@'%' IDENTIFIED BY 'orthanc';\n")


@PART.machine({3306: ()}, needs="mariadb")
def mariadb_changed(machine: Machine) -> None:
    mariadb(machine, 3306, "CREATE USER orthanc@'%' IDENTIFIED BY 'fictif';\n")


@PART.machine({6379: ("X09",)}, needs="redis")
def redis_of_the_example(machine: Machine) -> None:
    redis(machine, 6379, "--requirepass", "foobared")


@PART.machine({6379: ()}, needs="redis")
def redis_changed(machine: Machine) -> None:
    redis(machine, 6379, "--requirepass", "fictif")


@PART.machine({8080: ("X09",)})
def tomcat_of_the_example(machine: Machine) -> None:
    basic(machine, "tomcat:tomcat")


@PART.machine({8080: ()})
def tomcat_changed(machine: Machine) -> None:
    basic(machine, "-")


@PART.machine({8080: ()})
def tomcat_that_locks(machine: Machine) -> None:
    basic(machine, "-", "locks")


def of_the_tutorial(machine: Machine, password: str) -> None:
    """pyftpdlib, whose tutorial's account is kept as it is written there, or is not."""
    script = machine.write(
        "server.py",
        "import sys\n"
        "from pyftpdlib.authorizers import DummyAuthorizer\n"
        "from pyftpdlib.handlers import FTPHandler\n"
        "from pyftpdlib.servers import FTPServer\n"
        "host, port, folder, password = sys.argv[1:]\n"
        "FTPHandler.authorizer = DummyAuthorizer()\n"
        "FTPHandler.authorizer.add_user('user', password, folder, perm='elr')\n"
        "FTPServer((host, int(port)), FTPHandler).serve_forever()\n",
    )
    machine.python(21, script, machine.host, 21, extracts(machine), password)


@PART.machine({21: ("X09", "X14")}, counts={"X09": COUNTED})
def ftp_of_the_tutorial(machine: Machine) -> None:
    of_the_tutorial(machine, "12345")


@PART.machine({21: ("X14",)})
def ftp_changed(machine: Machine) -> None:
    of_the_tutorial(machine, "fictif")


QNAP = "NASFTPD Turbo station 1.3.5a Server (ProFTPD) [::ffff:192.0.2.7]"


def nas(machine: Machine, banner: str, account: str, refusal: str, *files: Path) -> None:
    FOLDERS[machine.name] = machine.folder
    machine.python(21, HERE / "nas.py", machine.host, 21, banner, account, refusal, *files)


@PART.machine({21: ("X09",)}, counts={"X09": 2})
def nas_in_tls(machine: Machine) -> None:
    nas(machine, QNAP, "guest:guest", "Login incorrect.", *certificate(machine.folder))


@PART.machine({21: ("X14",)})
def nas_changed(machine: Machine) -> None:
    nas(machine, QNAP, "-", "Login incorrect.")


@PART.machine({21: ("X14",)})
def nas_that_locks(machine: Machine) -> None:
    nas(machine, QNAP, "guest:guest", "Login incorrect, 2 attempts left.")


@PART.machine({21: ("X09", "X13", "X14")}, counts={"X13": 2})
def nas_for_anybody(machine: Machine) -> None:
    nas(machine, "AXIS 2110 Network Camera 2.34 Mar 22 2002 ready.", "*", "no")


@PART.machine({21: ("X14",)})
def ftp_of_no_name(machine: Machine) -> None:
    nas(machine, "FTP server ready", "guest:guest", "Login incorrect.")


@pytest.fixture(scope="module")
def seen(lan: Lan) -> Iterator[Seen]:
    with lan.audited(PART) as found:
        yield found


@pytest.mark.parametrize("name", PART.machines)
def test_a_machine_is_told_as_what_it_is(seen: Seen, name: str) -> None:
    seen.check(name)


def tried(name: str) -> list[str]:
    return (FOLDERS[name] / "tried").read_text().split()


@pytest.mark.usefixtures("seen")
def test_each_account_is_tried_once() -> None:
    known = [f"{each.user}:{each.password}" for each in documented("tomcat")]
    assert tried("tomcat_changed") == known
    assert tried("tomcat_of_the_example") == known[: known.index("tomcat:tomcat") + 1]


@pytest.mark.usefixtures("seen")
def test_none_is_tried_after_a_refusal_that_announces_a_lock_out() -> None:
    assert len(tried("tomcat_that_locks")) == 1


@pytest.mark.usefixtures("seen")
def test_an_account_of_ftp_is_tried_once_where_the_greeting_names_the_product() -> None:
    anybody = "anonymous:serment-audit@"
    assert tried("nas_in_tls") == [anybody, "guest:guest"]
    assert tried("nas_changed") == [anybody, "guest:guest"]
    assert tried("nas_for_anybody") == [anybody, "root:pass"]
    assert tried("ftp_of_no_name") == [anybody]


@pytest.mark.usefixtures("seen")
def test_none_of_ftp_is_tried_after_a_refusal_that_announces_a_lock_out() -> None:
    assert tried("nas_that_locks") == ["anonymous:serment-audit@"]


def test_files_that_anybody_reads_are_not_told_twice(seen: Seen) -> None:
    assert "2" not in seen.finding("nas_for_anybody", 21, "X09")["evidence"]
    assert seen.finding("nas_for_anybody", 21, "X09")["readable"] is None
    assert "database: 1" in seen.finding("nas_in_tls", 21, "X09")["evidence"]


def test_nothing_is_tried_unless_it_was_asked_for(lan: Lan) -> None:
    quiet = Part(9)
    quiet.machines["tomcat_quiet"] = PART.machines["tomcat_that_locks"]
    with lan.audited(quiet) as found:
        assert not (FOLDERS["tomcat_quiet"] / "tried").exists()
        assert "X09" in {each["check"] for each in found.said["not_checked"]}


def test_every_row_has_its_source_and_can_be_sent() -> None:
    for account in ACCOUNTS:
        assert len(account.source) > 10
        base64.b64encode(f"{account.user}:{account.password}".encode("ascii"))
        assert account.path.startswith("/")
