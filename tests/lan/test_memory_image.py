"""Names are planted in every kind of service; none reaches the process that started the audit."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.network.archive import name_of
from tests.e2e.network.running import Observed, observed
from tests.e2e.oath.memory import count_in_memory
from tests.lan.fileservers import ANONYMOUS, rsyncd, samba, vsftpd
from tests.lan.fileservers import nginx as webdav
from tests.lan.lan import Lan
from tests.lan.parts import Machine, Part
from tests.lan.programs import keys
from tests.lan.test_data import mariadb, postgresql, redis

from serment.core.exposure.titles import USUAL_TITLES
from serment.ports.network import Order

PART = Part(8)
HERE = Path(__file__).parent
ARCHIVE = HERE.parent / "e2e" / "network" / "archive.py"
SHARE = "[{name}]\npath = {folder}\nguest ok = yes\nread only = yes\ncomment = {name}\n"


def planted(machine: Machine) -> str:
    """A name of nobody, another for each machine; it stands in no file of the project."""
    return name_of(list(PART.machines).index(machine.name)).partition("^")[0]


def left(machine: Machine) -> Path:
    """A folder with files that are called so, and hold it."""
    name = planted(machine)
    for file in (f"left/{name}.dcm", f"left/{name}/{name}.csv"):
        machine.write(file, name)
    return machine.folder / "left"


def site(machine: Machine, port: int, pages: dict[str, object], **more: object) -> None:
    given = [{"host": machine.host, "port": port, "pages": pages, **more}]
    machine.python(port, HERE / "pages.py", machine.write("site.json", json.dumps(given)))


@PART.machine({11112: ()})
def dicom(machine: Machine) -> None:
    machine.python(
        11112, ARCHIVE, json.dumps([{"host": machine.host, "port": 11112, "patients": 9}])
    )


@PART.machine({21: ()}, needs="vsftpd")
def ftp(machine: Machine) -> None:
    vsftpd(machine, ANONYMOUS, files=left(machine))


@PART.machine({445: ()}, needs="samba")
def smb(machine: Machine) -> None:
    share = SHARE.format(name=planted(machine), folder=left(machine))
    samba(machine, "map to guest = Bad User\n", share)


@PART.machine({873: ()}, needs="rsync")
def rsync(machine: Machine) -> None:
    name, folder = planted(machine), left(machine)
    rsyncd(machine, f"[{name}]\ncomment = {name}\npath = {folder}\n")


@PART.machine({80: ()}, needs="nginx-dav")
def dav(machine: Machine) -> None:
    left(machine).rename(machine.folder / "files")
    webdav(machine)


@PART.machine({6379: ()}, needs="redis")
def cache(machine: Machine) -> None:
    redis(machine, 6379, "--protected-mode", "no")
    machine.run("redis-cli", "-h", machine.host, "set", planted(machine), planted(machine))


@PART.machine({5432: ()}, needs="postgresql")
def tables(machine: Machine) -> None:
    name = planted(machine)
    postgresql(machine, 5432, "trust")
    client = ("psql", "-h", machine.host, "-U", "postgres", "-qc")
    machine.run(*client, f'CREATE DATABASE "{name}"')
    machine.run(*client, f"CREATE TABLE \"{name}\" AS SELECT '{name}' AS n; ANALYZE", name)


@PART.machine({3306: ()}, needs="mariadb")
def other_tables(machine: Machine) -> None:
    name = planted(machine)
    lines = (
        "CREATE USER root@'%'",
        "GRANT ALL ON *.* TO root@'%'",
        f"CREATE DATABASE {name}",
        f"CREATE TABLE {name}.{name} AS SELECT '{name}' AS n",
    )
    mariadb(machine, 3306, "".join(f"{line};\n" for line in lines))


@PART.machine({8080: ()})
def records(machine: Machine) -> None:
    name = planted(machine)
    patient = {"resourceType": "Patient", "name": [{"family": name}]}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": patient}]}
    site(
        machine, 8080, {"/fhir/Patient": {"body": bundle}, "/": {"body": f"<title>{name}</title>"}}
    )


@PART.machine({8042: ()})
def images(machine: Machine) -> None:
    name = planted(machine)
    study = {"0020000D": {"Value": ["2.25.7"]}, "00100020": {"Value": [name]}}
    system = {"DicomAet": "X", "Version": "1.12.11", "ApiVersion": 1, "Name": name}
    pages: dict[str, object] = {
        "/system": {"body": system},
        "/patients": {"body": [name]},
        "/dicom-web/studies": {
            "body": [study],
            "headers": {"Content-Type": "application/dicom+json"},
        },
    }
    site(machine, 8042, pages)


@PART.machine({443: ()})
def named(machine: Machine) -> None:
    """In its certificate, in a redirect, in the realm of its password."""
    name = planted(machine)
    cert, key = keys(machine, f"{name.lower()}.example")
    realm = {"WWW-Authenticate": f'Basic realm="{name}"', "Location": f"/{name}"}
    pages: dict[str, object] = {"*": {"status": 401, "headers": realm}}
    site(machine, 443, pages, certificate=str(cert), key=str(key))


@pytest.fixture(scope="module")
def hosts(lan: Lan) -> Iterator[dict[str, str]]:
    if sys.platform != "linux":
        pytest.skip("only Linux shows the memory of another process as a file")
    with lan.started(PART) as hosts:
        yield hosts


@pytest.fixture(scope="module")
def seen(lan: Lan, hosts: dict[str, str]) -> Iterator[Observed]:
    ports = {port for each in PART.machines.values() for port in each.ports}
    order = Order(tuple(hosts.values()), tuple(sorted(ports)), titles=USUAL_TITLES)
    with observed(order, lan.here.enter) as found:
        yield found


def test_what_is_planted_was_within_reach(lan: Lan, hosts: dict[str, str], seen: Observed) -> None:
    """Otherwise that no name is found would mean nothing."""
    found = {each["place"]["host"]: each for each in seen.services if each["facts"]}
    for name, planted in PART.machines.items():
        if planted.missing(lan.is_own):
            continue
        facts = found[hosts[name]]["facts"]
        counts = [facts.get("readable"), facts.get("patients")]
        assert name == "named" or any(each and each["count"] for each in counts), (name, facts)


def test_no_name_is_in_the_parents_memory(seen: Observed) -> None:
    names = {}
    for number, name in enumerate(PART.machines):
        root = name_of(number).partition("^")[0]
        names[name] = root.encode()
        names[f"{name}, small"] = root.lower().encode()
    assert count_in_memory(seen.pid, names) == {}
    assert count_in_memory(seen.pid, {"titles": b"CONQUESTSRV1"})  # looking finds things
