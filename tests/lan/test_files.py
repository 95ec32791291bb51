"""File services as practices have them: by real programs, open and closed, in clear and encrypted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.network.certificates import certificate
from tests.lan.fileservers import (
    AFP,
    ANONYMOUS,
    CLOSED,
    COUNTED,
    GUEST,
    PYFTPDLIB,
    TLS,
    extracts,
    ganesha,
    nginx,
    rsyncd,
    samba,
    vsftpd,
)
from tests.lan.lan import Lan
from tests.lan.parts import Machine, Part, Seen

PART = Part(3)


@PART.machine({21: ("X13", "X14")}, needs="vsftpd", counts={"X13": COUNTED})
def vsftpd_anonymous(machine: Machine) -> None:
    vsftpd(machine, ANONYMOUS, files=extracts(machine))


@PART.machine({2100: ("X13",)}, needs="vsftpd", counts={"X13": COUNTED})
def vsftpd_anonymous_inside_tls_only(machine: Machine) -> None:
    """Nobody may sign in without TLS, and within it anybody, data connections included."""
    certificate_, key = certificate(machine.folder)
    vsftpd(
        machine,
        ANONYMOUS + TLS + "force_anon_logins_ssl=YES\nforce_anon_data_ssl=YES\n",
        2100,
        files=extracts(machine),
        certificate=certificate_,
        key=key,
    )


@PART.machine({9990: ("X13",)}, needs="vsftpd", counts={"X13": COUNTED})
def vsftpd_implicit_tls(machine: Machine) -> None:
    certificate_, key = certificate(machine.folder)
    vsftpd(
        machine,
        ANONYMOUS + TLS + "implicit_ssl=YES\nforce_anon_logins_ssl=YES\nforce_anon_data_ssl=YES\n",
        9990,
        files=extracts(machine),
        certificate=certificate_,
        key=key,
    )


@PART.machine({21: ("X13", "X14")}, needs="vsftpd")
def vsftpd_that_lists_nothing(machine: Machine) -> None:
    """Without passive connections, and others are not made here."""
    vsftpd(machine, ANONYMOUS + "pasv_enable=NO\n", files=extracts(machine))


@PART.machine({21: ("X14",)}, needs="vsftpd")
def vsftpd_clear_only(machine: Machine) -> None:
    vsftpd(machine, "anonymous_enable=NO\nlocal_enable=YES\n")


@PART.machine({21: ()}, needs="vsftpd")
def vsftpd_strict(machine: Machine) -> None:
    """Accounts only, and TLS before any of them."""
    certificate_, key = certificate(machine.folder)
    settings = "anonymous_enable=NO\nlocal_enable=YES\nforce_local_logins_ssl=YES\n" + TLS
    vsftpd(machine, settings, certificate=certificate_, key=key)


@PART.machine({2121: ("X13", "X14")}, counts={"X13": COUNTED})
def pyftpdlib_anonymous(machine: Machine) -> None:
    script, files = machine.write("server.py", PYFTPDLIB), extracts(machine)
    machine.python(2121, script, machine.host, 2121, files, "yes")


@PART.machine({21: ("X14",)})
def pyftpdlib_accounts(machine: Machine) -> None:
    script, files = machine.write("server.py", PYFTPDLIB), extracts(machine)
    machine.python(21, script, machine.host, 21, files, "no")


@PART.machine({445: ("X15",)}, needs="samba", counts={"X15": COUNTED})
def samba_guest(machine: Machine) -> None:
    samba(machine, "map to guest = Bad User\n", GUEST)


@PART.machine({445: ("X15",)}, needs="samba", counts={"X15": COUNTED})
def samba_guest_is_an_account(machine: Machine) -> None:
    """Nobody gets nothing; the guest has an account, and its password is empty, as on Windows."""
    names = machine.write("names", "daemon = guest\n")
    passwords = machine.folder / "passdb.tdb"
    settings = f"username map = {names}\npassdb backend = tdbsam:{passwords}\n"
    shares = GUEST.replace("guest ok = yes", "valid users = daemon")
    samba(machine, settings + "map to guest = Never\n", shares, account="daemon")


@PART.machine({445: ("X15",)}, needs="samba", counts={"X15": COUNTED})
def samba_guest_of_the_newest(machine: Machine) -> None:
    settings = "map to guest = Bad User\nserver min protocol = SMB3_11\n"
    samba(machine, settings, GUEST)


@PART.machine({445: ("X16",)}, needs="samba")
def samba_version_1(machine: Machine) -> None:
    samba(machine, "map to guest = Never\nserver min protocol = NT1\n")


@PART.machine({445: ("X15", "X16")}, needs="samba", counts={"X15": COUNTED})
def samba_version_1_only(machine: Machine) -> None:
    """As old NAS and copiers are."""
    settings = "server min protocol = NT1\nserver max protocol = NT1\nmap to guest = Bad User\n"
    samba(machine, settings, GUEST)


@PART.machine({445: ()}, needs="samba")
def samba_as_it_comes(machine: Machine) -> None:
    shares = GUEST.replace("guest ok = yes", "guest ok = no")
    samba(machine, "map to guest = Bad User\n", shares)


@PART.machine({445: (), 139: ()}, needs="samba")
def samba_strict(machine: Machine) -> None:
    settings = (
        "map to guest = Never\nrestrict anonymous = 2\nserver min protocol = SMB3\n"
        "server signing = mandatory\nserver smb encrypt = required\n"
    )
    samba(machine, settings, GUEST.replace("guest ok = yes", "guest ok = no"), "445 139")


@PART.machine({873: ("X15", "X29")}, needs="rsync", counts={"X15": COUNTED})
def rsync_open(machine: Machine) -> None:
    files = extracts(machine)
    machine.write("files/exports/2019/trop/profond.dcm", b"")
    closed = "[dossiers]\npath = {folder}\n" + CLOSED
    rsyncd(machine, f"[sauvegarde]\ncomment = a\tb\npath = {files}\n", closed)


@PART.machine({873: ("X29",)}, needs="rsync")
def rsync_strict(machine: Machine) -> None:
    closed = f"[dossiers]\npath = {extracts(machine)}\nlist = no\n" + CLOSED
    rsyncd(machine, closed)


@PART.machine({873: ("X15", "X29")}, needs="rsync")
def rsync_that_names_its_modules(machine: Machine) -> None:
    rsyncd(machine, f"[dossiers]\npath = {extracts(machine)}\n" + CLOSED)


@PART.machine({548: ("X15", "X29")}, counts={"X15": COUNTED})
def afp_guest(machine: Machine) -> None:
    machine.python(548, AFP, machine.host, 548, extracts(machine), "yes")


@PART.machine({548: ("X29",)})
def afp_accounts(machine: Machine) -> None:
    machine.python(548, AFP, machine.host, 548, extracts(machine), "no")


@PART.machine({80: ("X15", "X29")}, needs="nginx-dav", counts={"X15": COUNTED})
def webdav_open(machine: Machine) -> None:
    nginx(machine)


@PART.machine({80: ("X15", "X17", "X29")}, needs="nginx-dav", counts={"X15": COUNTED})
def webdav_in_a_folder_and_its_listing(machine: Machine) -> None:
    nginx(machine, "/dav/", f"}} location / {{ root {machine.folder}/files; autoindex on;")


@PART.machine({443: ("X15",)}, needs="nginx-dav", counts={"X15": COUNTED})
def webdav_in_tls(machine: Machine) -> None:
    nginx(machine, port=443)


@PART.machine({80: ()}, needs="nginx-dav")
def webdav_strict(machine: Machine) -> None:
    access = f"auth_basic dossiers; auth_basic_user_file {machine.folder}/people;"
    nginx(machine, access=access)


@PART.machine(
    {2049: ("X15", "X29"), 111: ()}, needs="nfs-ganesha", everywhere=True, counts={"X15": COUNTED}
)
def nfs_open(machine: Machine) -> None:
    ganesha(machine, "Access_Type = RO;")


@PART.machine({2049: ("X15", "X29"), 111: ()}, needs="nfs-ganesha", everywhere=True)
def nfs_open_to_privileged_ports(machine: Machine) -> None:
    ganesha(machine, "Access_Type = RO; PrivilegedPort = true;")


@PART.machine({2049: ("X15", "X29")}, needs="nfs-ganesha", everywhere=True, counts={"X15": COUNTED})
def nfs_4_only(machine: Machine) -> None:
    ganesha(machine, "Access_Type = RO;", "4")


@PART.machine({2049: ("X29",), 111: ()}, needs="nfs-ganesha", everywhere=True)
def nfs_strict(machine: Machine) -> None:
    ganesha(machine, "Access_Type = None; CLIENT { Clients = 10.44.9.9; Access_Type = RO; }", "3,4")


@PART.machine(
    {
        2021: ("X13", "X14"),
        4445: ("X15", "X16"),
        8873: ("X15", "X29"),
        50005: ("X15", "X29"),
    },
    needs=("vsftpd", "samba", "rsync", "nginx-dav"),
)
def each_where_nobody_expects_it(machine: Machine) -> None:
    """What a port is, is told by talking to it."""
    files = extracts(machine)
    vsftpd(machine, ANONYMOUS, 2021, files=files)
    samba(machine, "map to guest = Bad User\nserver min protocol = NT1\n", GUEST, "4445")
    rsyncd(machine, f"[sauvegarde]\npath = {files}\n", port=8873)
    nginx(machine, port=50005)


@PART.machine(
    {2121: ("X13", "X14"), 445: ("X15",), 2049: ("X15", "X29")},
    needs=("samba", "nfs-ganesha"),
    everywhere=True,
)
def each_may_be_changed(machine: Machine) -> None:
    files = extracts(machine)
    Path(files).chmod(0o777)
    script = machine.write("server.py", PYFTPDLIB)
    machine.python(2121, script, machine.host, 2121, files, "writes")
    samba(machine, "map to guest = Bad User\n", GUEST.replace("read only = yes", "read only = no"))
    ganesha(machine, "Access_Type = RW;")


@pytest.fixture(scope="module")
def seen(lan: Lan) -> Iterator[Seen]:
    with lan.audited(PART) as found:
        yield found


@pytest.mark.parametrize("name", PART.machines)
def test_a_machine_is_told_as_what_it_is(seen: Seen, name: str) -> None:
    seen.check(name)


def test_no_name_of_a_file_is_told(seen: Seen) -> None:
    for name in ("FICTIF", "Nemo", "1970", "IM0000", "scanner.dcm", "2019"):
        assert name not in str(seen.said)


def test_what_a_server_says_may_be_changed_is_told(seen: Seen) -> None:
    """By what it announces, nothing was written; WebDAV's is announced by its methods."""
    changed = {("each_may_be_changed", port) for port in (2121, 445, 2049)}
    changed |= {("webdav_open", 80), ("webdav_in_tls", 443)}
    changed.add(("each_where_nobody_expects_it", 50005))
    changed.add(("webdav_in_a_folder_and_its_listing", 80))
    for name in PART.machines:
        for each in seen.findings(name):
            if each["id"] in ("X13", "X15") and each["severity"] == "critical":
                told = "may write" in each["evidence"] or "may be changed" in each["evidence"]
                assert told is ((name, each["port"]) in changed), each


def test_what_needs_a_privileged_port_is_only_likely(seen: Seen) -> None:
    found = seen.finding("nfs_open_to_privileged_ports", 2049, "X15")
    assert (found["confidence"], found["readable"]) == ("likely", None)


def test_what_could_not_be_listed_is_not_told_as_empty(seen: Seen) -> None:
    found = seen.finding("vsftpd_that_lists_nothing", 21, "X13")
    assert "could not be listed" in found["evidence"]
    reasons = [
        each["reason"]
        for each in seen.said["not_checked"]
        if each["check"] == "X13" and seen.hosts["vsftpd_that_lists_nothing"] in each["host"]
    ]
    assert reasons == ["anonymous is let in, but no folder could be listed"]


def test_modules_that_are_only_named_are_no_guests_session(seen: Seen) -> None:
    found = seen.finding("rsync_that_names_its_modules", 873, "X15")
    assert found["severity"] == "info"
    assert "names of its modules" in found["evidence"]
