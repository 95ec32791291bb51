"""Databases, caches and HL7 listeners as practices have them, open and well kept.

Redis, Memcached, PostgreSQL and MariaDB are the real programs. MongoDB, Elasticsearch, SQL Server and
the HL7 engine, which Debian does not have, are small servers of these tests (`mongo`, `elastic`, `tds`,
`hl7`).
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.network.certificates import certificate
from tests.lan.lan import Lan
from tests.lan.parts import Machine, Part, Seen

PART = Part(4)
HERE = Path(__file__).parent
NAMED = 49_433
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
AS_NOBODY = NOBODY if os.geteuid() == 0 else ()  # databases refuse to be root


def redis(machine: Machine, port: int, *words: object) -> None:
    machine.start(
        port,
        *(machine.tool("redis-server"), "--port", port, "--bind", machine.host),
        *("--save", "", "--dir", machine.folder, *words),
    )


@PART.machine({6379: ("X18",), 7399: ("X18",)}, needs="redis", counts={"X18": 3})
def redis_open(machine: Machine) -> None:
    for port in (6379, 7399):
        redis(machine, port, "--protected-mode", "no")
        for key in range(3):
            machine.run("redis-cli", "-h", machine.host, "-p", port, "set", key, "x")


@PART.machine({6379: (), 6380: ()}, needs="redis")
def redis_closed(machine: Machine) -> None:
    redis(machine, 6379, "--requirepass", "fictif")
    redis(machine, 6380)  # protected mode: only this machine itself is answered


@PART.machine({6379: ("X18",), 6380: ()}, needs="redis")
def redis_without_ping(machine: Machine) -> None:
    """A default account without password: some rights, and next to none."""
    for port, rights in ((6379, "+get +set +keys"), (6380, "+ping")):
        accounts = machine.write(f"acl{port}", f"user default on nopass ~* &* -@all {rights}\n")
        redis(machine, port, "--protected-mode", "no", "--aclfile", accounts)


@PART.machine({6390: ("X18",)}, needs="redis", counts={"X18": 0})
def redis_in_tls(machine: Machine) -> None:
    crt, key = certificate(machine.folder)
    redis(
        machine,
        6390,
        *("--port", 0, "--tls-port", 6390, "--protected-mode", "no", "--tls-auth-clients", "no"),
        *("--tls-cert-file", crt, "--tls-key-file", key, "--tls-ca-cert-file", crt),
    )


@PART.machine({11211: ("X27",)}, needs="memcached", counts={"X27": 0})
def memcached_open(machine: Machine) -> None:
    machine.start(11211, machine.tool("memcached"), "-u", "nobody", "-l", machine.host)


@PART.machine({11211: ("X27",)}, needs="memcached", counts={"X27": 0})
def memcached_binary(machine: Machine) -> None:
    words = ("-u", "nobody", "-l", machine.host, "-B", "binary", "-U", 0)
    machine.start(11211, machine.tool("memcached"), *words)


@PART.machine({11211: ()}, needs="memcached")
def memcached_closed(machine: Machine) -> None:
    accounts = machine.write("accounts", "cabinet:fictif\n")
    machine.start(
        11211, machine.tool("memcached"), "-u", "nobody", "-l", machine.host, "-Y", accounts
    )


def postgresql(
    machine: Machine, port: int, way: str, hosts: str = "", words: tuple[object, ...] = ()
) -> None:
    data, secret = machine.folder / f"data{port}", machine.write("secret", "fictif")
    os.chmod(machine.folder, 0o777)  # noqa: PTH101 - the database is another user's
    made = (machine.tool("initdb"), "-D", data, "-U", "postgres", "--no-sync")
    machine.run(*AS_NOBODY, *made, "-A", way, "--pwfile", secret)
    lines = f"local all all trust\n{hosts or f'host all all 0.0.0.0/0 {way}'}\n"
    machine.write(f"data{port}/pg_hba.conf", lines)
    machine.start(
        port,
        *(*AS_NOBODY, machine.tool("postgres"), "-D", data, "-h", machine.host, "-p", port),
        *("-k", machine.folder, "-c", "fsync=off", *words),
    )


@PART.machine({5432: ("X18",)}, needs="postgresql", counts={"X18": 40})
def postgresql_trust(machine: Machine) -> None:
    postgresql(machine, 5432, "trust")
    client = ("psql", "-h", machine.host, "-U", "postgres", "-qc")
    machine.run(*client, "CREATE DATABASE cabinet")
    rows = "CREATE TABLE sejour AS SELECT n FROM generate_series(1, 40) n; ANALYZE"
    machine.run(*client, rows, "cabinet")


@PART.machine({5432: (), 7432: ()}, needs="postgresql")
def postgresql_closed(machine: Machine) -> None:
    postgresql(machine, 5432, "scram-sha-256")
    postgresql(machine, 7432, "md5")


@PART.machine({5432: ()}, needs="postgresql")
def postgresql_full(machine: Machine) -> None:
    """It trusts everybody, and has no place left."""
    few = ("max_connections=2", "superuser_reserved_connections=0", "max_wal_senders=0")
    postgresql(machine, 5432, "trust", words=tuple(word for each in few for word in ("-c", each)))
    sleeping = f"{machine.tool('psql')} -h {machine.host} -U postgres -c 'SELECT pg_sleep(600)'"
    for _ in range(2):  # again where our own question took the place
        machine.start(5432, "sh", "-c", f"until {sleeping}; do sleep 0.1; done")
    latest = time.monotonic() + 30
    with contextlib.suppress(RuntimeError):  # no place for one more
        while time.monotonic() < latest:
            machine.run("psql", "-h", machine.host, "-U", "postgres", "-c", "SELECT 1")


@PART.machine({5432: ("X18",)}, needs="postgresql", counts={"X18": 30})
def postgresql_trust_for_one(machine: Machine) -> None:
    lines = "host cabinet all 0.0.0.0/0 trust\nhost all all 0.0.0.0/0 scram-sha-256"
    postgresql(machine, 5432, "scram-sha-256", lines)
    client = ("psql", "-h", machine.folder, "-U", "postgres", "-qc")
    machine.run(*client, "CREATE DATABASE cabinet")
    rows = "CREATE TABLE sejour AS SELECT n FROM generate_series(1, 30) n; ANALYZE"
    machine.run(*client, rows, "cabinet")


@PART.machine({5432: ("X18",), 5433: ("X18",)}, needs="postgresql", counts={"X18": 0})
def postgresql_in_tls(machine: Machine) -> None:
    """One that trusts in TLS only, and one that offers TLS and trusts in clear only."""
    crt, key = certificate(machine.folder)
    if AS_NOBODY:
        os.chown(key, 65534, 65534)
    key.chmod(0o600)
    words = ("-c", "ssl=on", "-c", f"ssl_cert_file={crt}", "-c", f"ssl_key_file={key}")
    postgresql(machine, 5432, "trust", "hostssl all all 0.0.0.0/0 trust", words)
    postgresql(machine, 5433, "trust", "hostnossl all all 0.0.0.0/0 trust", words)


def mariadb(machine: Machine, port: int, sql: str, *words: object) -> None:
    data = machine.folder / "data"
    os.chmod(machine.folder, 0o777)  # noqa: PTH101 - the database is another user's
    machine.run(
        *(*AS_NOBODY, machine.tool("mariadb-install-db"), "--no-defaults", f"--datadir={data}"),
        *("--auth-root-authentication-method=normal", "--skip-test-db"),
    )
    first = machine.write("first.sql", sql)
    machine.start(
        port,
        *(*AS_NOBODY, machine.tool("mariadbd"), "--no-defaults", f"--datadir={data}"),
        *(f"--bind-address={machine.host}", f"--port={port}", f"--socket={machine.folder}/s"),
        *(f"--init-file={first}", "--skip-name-resolve", *words),
    )


OPEN_ROOT = "".join(
    f"{line};\n"
    for line in (
        "CREATE USER root@'%'",
        "GRANT ALL ON *.* TO root@'%'",
        "CREATE DATABASE cabinet",
        "CREATE TABLE cabinet.s (n INT)",
        f"INSERT INTO cabinet.s VALUES {', '.join(f'({number})' for number in range(20))}",
    )
)


@PART.machine({3306: ("X18",)}, needs="mariadb", counts={"X18": 20})
def mariadb_root(machine: Machine) -> None:
    mariadb(machine, 3306, OPEN_ROOT)


@PART.machine({3306: ("X18",)}, needs="mariadb", counts={"X18": 20})
def mariadb_in_tls(machine: Machine) -> None:
    crt, key = certificate(machine.folder)
    if AS_NOBODY:
        os.chown(key, 65534, 65534)
    words = (f"--ssl-cert={crt}", f"--ssl-key={key}", "--require-secure-transport=ON")
    mariadb(machine, 3306, OPEN_ROOT, *words)


@PART.machine({3306: ()}, needs="mariadb")
def mariadb_closed(machine: Machine) -> None:
    mariadb(machine, 3306, "CREATE USER root@'%' IDENTIFIED BY 'fictif';\n")


@PART.machine({3306: ()}, needs="mariadb")
def mariadb_for_others(machine: Machine) -> None:
    mariadb(machine, 3306, "")  # root of the machine itself only


@PART.machine({27017: ("X18",), 7017: ("X18",)}, counts={"X18": 50})
def mongodb_open(machine: Machine) -> None:
    machine.python(27017, HERE / "mongo.py", machine.host, 27017)
    machine.python(7017, HERE / "mongo.py", machine.host, 7017, "old")


@PART.machine({27017: ()})
def mongodb_closed(machine: Machine) -> None:
    machine.python(27017, HERE / "mongo.py", machine.host, 27017, "closed")


@PART.machine({9200: ("X18",)}, counts={"X18": 50})
def elasticsearch_open(machine: Machine) -> None:
    machine.python(9200, HERE / "elastic.py", machine.host, 9200)


@PART.machine({9200: ()})
def elasticsearch_closed(machine: Machine) -> None:
    machine.python(9200, HERE / "elastic.py", machine.host, 9200, "closed")


def sql_server(machine: Machine, port: int, version: str, *words: object) -> None:
    machine.python(port, HERE / "tds.py", machine.host, port, version, *words)


@PART.machine({1433: (), 7433: ()})
def sql_server_maintained(machine: Machine) -> None:
    sql_server(machine, 1433, "16.0.4085", 3)
    sql_server(machine, 7433, "15.0.4355", 0)


@PART.machine({1433: ("X12",), 7433: ("X12",)})
def sql_server_of_before(machine: Machine) -> None:
    sql_server(machine, 1433, "11.0.7001", 0)
    sql_server(machine, 7433, "10.50.6000", 2)


@PART.machine({})
def sql_server_named(machine: Machine) -> None:
    """An instance on a port that is not looked at: its machine tells it over UDP."""
    sql_server(machine, NAMED, "15.0.2000", 0, "browser")


@PART.machine({2575: ("X19",), 7999: ("X19",)})
def hl7_open(machine: Machine) -> None:
    for port in (2575, 7999):
        machine.python(port, HERE / "hl7.py", machine.host, port)


@PART.machine({2575: (), 2576: ()})
def hl7_closed(machine: Machine) -> None:
    machine.python(2575, HERE / "hl7.py", machine.host, 2575, "strict")
    files = certificate(machine.folder, issuer="autorite")
    own = certificate(machine.folder, name="autorite")[0]
    machine.python(2576, HERE / "hl7.py", machine.host, 2576, "tls", *files, own)


@pytest.fixture(scope="module")
def seen(lan: Lan) -> Iterator[Seen]:
    with lan.audited(PART) as found:
        yield found


@pytest.mark.parametrize("name", PART.machines)
def test_a_machine_is_told_as_what_it_is(seen: Seen, name: str) -> None:
    seen.check(name)


@pytest.mark.parametrize(
    ("name", "port", "protocol", "product"),
    [
        ("redis_open", 7399, "redis", "Redis"),
        ("redis_closed", 6379, "redis", "Redis"),
        ("redis_closed", 6380, "redis", "Redis"),
        ("memcached_open", 11211, "memcached", "Memcached"),
        ("memcached_closed", 11211, "memcached", "Memcached"),
        ("memcached_binary", 11211, "memcached", "Memcached"),
        ("postgresql_closed", 7432, "postgresql", "PostgreSQL"),
        ("mariadb_closed", 3306, "mysql", "MariaDB"),
        ("mariadb_for_others", 3306, "mysql", "MariaDB"),
        ("sql_server_maintained", 1433, "mssql", "Microsoft SQL Server"),
        ("sql_server_maintained", 7433, "mssql", "Microsoft SQL Server"),
        ("sql_server_named", NAMED, "mssql", "Microsoft SQL Server"),
        ("mongodb_closed", 27017, "mongodb", "MongoDB"),
        ("elasticsearch_closed", 9200, "elasticsearch", "Elasticsearch"),
        ("hl7_open", 7999, "mllp", ""),
        ("hl7_closed", 2575, "mllp", ""),
    ],
)
def test_it_is_recognised_on_any_port_and_when_it_refuses(
    seen: Seen, name: str, port: int, protocol: str, product: str
) -> None:
    service = seen.service(name, port)
    assert (service["protocol"], service["product"]) == (protocol, product)


@pytest.mark.parametrize(
    "name",
    [
        "redis_closed",
        "postgresql_closed",
        "mariadb_closed",
        "sql_server_maintained",
        "sql_server_named",
        "mongodb_closed",
        "elasticsearch_closed",
    ],
)
def test_a_database_that_asks_for_an_account_can_be_reached_all_the_same(
    seen: Seen, name: str
) -> None:
    assert {each["severity"] for each in seen.findings(name) if each["id"] == "X28"} == {"low"}


@pytest.mark.parametrize(
    ("name", "port"),
    [("redis_closed", 6380), ("redis_without_ping", 6380), ("mariadb_for_others", 3306)],
)
def test_who_turns_us_away_is_not_said_to_ask_for_an_account(
    seen: Seen, name: str, port: int
) -> None:
    said = seen.finding(name, port, "X28")["evidence"]
    assert said.endswith("turned us away without asking for an account")


def test_of_a_full_database_nothing_is_said(seen: Seen) -> None:
    assert seen.findings("postgresql_full") == []
    host = seen.hosts["postgresql_full"]
    left = {each["check"] for each in seen.said["not_checked"] if host in each["host"]}
    assert left == {"X18"}


def test_a_sql_server_that_cannot_encrypt_is_told(seen: Seen) -> None:
    said = {port: seen.finding("sql_server_of_before", port, "X28") for port in (1433, 7433)}
    assert "does not offer to encrypt" in said[7433]["evidence"]
    assert "encrypt" not in said[1433]["evidence"]


@pytest.mark.parametrize("name", ["postgresql_trust", "mariadb_root"])
def test_the_account_that_opened_is_named(seen: Seen, name: str) -> None:
    (finding,) = (each for each in seen.findings(name) if each["id"] == "X18")
    assert {"postgresql_trust": "postgres", "mariadb_root": "root"}[name] in finding["evidence"]
