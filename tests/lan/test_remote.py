"""Remote access as practices have it, by real programs: SSH, telnet, VNC, RDP, and SNMP beside it.

Only RDP with Network Level Authentication, which xrdp cannot require, and RDP of before it, are
small servers of these tests (`rdp`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.network.certificates import certificate
from tests.lan.lan import Lan
from tests.lan.parts import Machine, Part, Seen

PART = Part(5)
HERE = Path(__file__).parent
SECRET = bytes.fromhex("dbd83cfd727a1458")  # as vncpasswd writes it


def ssh(machine: Machine, port: int, *options: str) -> None:
    key = machine.folder / f"key{port}"
    machine.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    words = [word for each in (*options, "PidFile=none") for word in ("-o", each)]
    machine.start(
        port,
        *(machine.tool("sshd"), "-D", "-e", "-f", "/dev/null", "-h", key),
        *("-o", f"ListenAddress={machine.host}:{port}", *words),
    )


@PART.machine({22: ("X31",), 7022: ("X31",)}, needs="openssh")
def ssh_password(machine: Machine) -> None:
    ssh(machine, 22)
    old = ("KexAlgorithms=diffie-hellman-group14-sha1", "Ciphers=aes128-ctr", "MACs=hmac-sha1")
    ssh(machine, 7022, *old)


@PART.machine({22: (), 2222: ()}, needs="openssh")
def ssh_keys_only(machine: Machine) -> None:
    no = ("PasswordAuthentication=no", "KbdInteractiveAuthentication=no")
    ssh(machine, 22, *no)
    ssh(machine, 2222, *no, "Ciphers=aes256-gcm@openssh.com", "KexAlgorithms=curve25519-sha256")


def telnet(machine: Machine, port: int, *words: str) -> None:
    line = f"{machine.host}:{port} stream tcp nowait root {machine.tool('telnetd')} telnetd"
    conf = machine.write(f"inetd{port}.conf", " ".join((line, *words)) + "\n")
    pid = machine.folder / f"pid{port}"
    machine.start(port, machine.tool("inetutils-inetd"), "-d", f"--pidfile={pid}", conf)


@PART.machine({23: ("X21",), 7023: ("X21",)}, needs="telnetd")
def telnet_login(machine: Machine) -> None:
    for port in (23, 7023):
        telnet(machine, port)


@PART.machine({23: ("X21",)}, needs="telnetd")
def telnet_open(machine: Machine) -> None:
    telnet(machine, 23, "--exec-login=/bin/sh")


def vnc(machine: Machine, port: int, display: int, *words: object) -> None:
    machine.start(
        port,
        *(machine.tool("Xtigervnc"), f":{display}", "-rfbport", port, "-interface", machine.host),
        *("-geometry", "64x64", "-nolisten", "local", *words),
    )


@PART.machine({5900: ("X21",), 7900: ("X21",), 7901: ("X21",)}, needs="vnc")
def vnc_open(machine: Machine) -> None:
    vnc(machine, 5900, 971, "-SecurityTypes", "None")
    vnc(machine, 7900, 972, "-SecurityTypes", "TLSNone")
    secret = machine.write("secret", SECRET)
    crt, key = certificate(machine.folder)
    words = ("-PasswordFile", secret, "-X509Cert", crt, "-X509Key", key)
    vnc(machine, 7901, 973, "-SecurityTypes", "X509None,VncAuth", *words)


@PART.machine({5900: (), 5901: ()}, needs="vnc")
def vnc_password(machine: Machine) -> None:
    secret = machine.write("secret", SECRET)
    for port, kind in ((5900, "VncAuth"), (5901, "TLSVnc")):
        vnc(machine, port, port - 4000, "-SecurityTypes", kind, "-PasswordFile", secret)


@PART.machine({3389: ("X21",), 7389: ("X21",)}, needs="xrdp")
def rdp_without_nla(machine: Machine) -> None:
    lines = (
        "[Globals]",
        f"port=tcp://{machine.host}:3389",
        "security_layer=negotiate",
        "[Logging]",
        "LogFile=/dev/null",
        "EnableSyslog=false",
    )
    machine.start(
        3389, machine.tool("xrdp"), "-n", "-c", machine.write("xrdp.ini", "\n".join(lines))
    )
    machine.python(7389, HERE / "rdp.py", machine.host, 7389, "old")


@PART.machine({3389: (), 7390: ()})
def rdp_with_nla(machine: Machine) -> None:
    for port in (3389, 7390):
        machine.python(port, HERE / "rdp.py", machine.host, port, "nla")


def snmp(machine: Machine, community: str) -> None:
    conf = machine.write("snmpd.conf", f"rocommunity {community} default\n")
    machine.start(
        161,
        *(machine.tool("snmpd"), "-f", "-Lo", "-C", "-c", conf),
        f"udp:{machine.host}:161",
        env={"SNMP_PERSISTENT_FILE": str(machine.folder / "kept")},
    )


@PART.machine({161: ("X30",)}, needs="snmpd")
def snmp_public(machine: Machine) -> None:
    snmp(machine, "public")


@PART.machine({161: ()}, needs="snmpd")
def snmp_private(machine: Machine) -> None:
    snmp(machine, "fictif")


@pytest.fixture(scope="module")
def seen(lan: Lan) -> Iterator[Seen]:
    with lan.audited(PART) as found:
        yield found


@pytest.mark.parametrize("name", PART.machines)
def test_a_machine_is_told_as_what_it_is(seen: Seen, name: str) -> None:
    seen.check(name)


@pytest.mark.parametrize(
    ("name", "port", "protocol"),
    [
        ("ssh_keys_only", 2222, "ssh"),
        ("telnet_login", 7023, "telnet"),
        ("vnc_password", 5901, "vnc"),
        ("rdp_with_nla", 7390, "rdp"),
        ("snmp_public", 161, "snmp"),
    ],
)
def test_it_is_recognised_on_any_port_and_when_it_refuses(
    seen: Seen, name: str, port: int, protocol: str
) -> None:
    assert seen.service(name, port)["protocol"] == protocol


@pytest.mark.parametrize(
    ("name", "port", "severity"),
    [
        ("vnc_open", 5900, "critical"),
        ("vnc_open", 7900, "critical"),
        ("telnet_open", 23, "critical"),
        ("telnet_login", 23, "high"),
        ("rdp_without_nla", 3389, "high"),
        ("rdp_without_nla", 7389, "high"),
        ("vnc_password", 5900, "low"),
    ],
)
def test_a_door_without_a_lock_is_worse_than_a_weak_one(
    seen: Seen, name: str, port: int, severity: str
) -> None:
    assert seen.finding(name, port, "X21")["severity"] == severity


def test_who_counts_failures_is_found_as_often_as_it_is_asked(lan: Lan, seen: Seen) -> None:
    """TigerVNC turns an address away after five connections that came to no end."""
    seen.check_present("vnc_open")
    only = {"vnc_open": seen.hosts["vnc_open"]}
    for _ in range(5):
        again = lan.audit(only, seen.planted, sorted(seen.planted["vnc_open"].ports))
        again.check("vnc_open")


def test_keys_only_is_nothing_to_state(seen: Seen) -> None:
    assert [each["id"] for each in seen.findings("ssh_keys_only")] == []


def test_the_makers_of_a_package_are_named(seen: Seen) -> None:
    assert seen.service("ssh_password", 22)["product"] == "OpenSSH"
    assert seen.service("snmp_public", 161)["product"] == "Linux"
