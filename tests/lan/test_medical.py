"""DICOM nodes as practices have them: by real programs, open and closed, in clear and in TLS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lan.lan import Lan
from tests.lan.parts import Machine, Part, Seen
from tests.lan.programs import DICOMWEB, encrypted, keys, nginx, orthanc
from tests.practices import patient, report, study

PART = Part(1)
ARCHIVE = Path(__file__).parents[1] / "e2e" / "network" / "archive.py"
OPEN = ("X01", "X02", "X03", "X06")
WORKLIST = """\
(0008,0050) SH [A0001]
(0010,0010) PN [PLANTE^NEMO]
(0010,0020) LO [FICTIF0001]
(0010,0030) DA [19570401]
(0010,0040) CS [F]
(0020,000d) UI [2.25.1]
(0032,1032) PN [DUPONT]
(0032,1060) LO [Echographie]
(0040,0100) SQ
(fffe,e000) -
(0008,0060) CS [US]
(0040,0001) AE [ECHO]
(0040,0002) DA [20260104]
(0040,0003) TM [101500]
(0040,0006) PN [DUPONT]
(0040,0007) LO [Echographie]
(0040,0009) SH [S0001]
(0040,0010) SH [SALLE1]
(fffe,e00d) -
(fffe,e0dd) -
(0040,1001) SH [R0001]
(0040,1003) SH [ROUTINE]
"""


def images(machine: Machine, count: int) -> Path:
    """A folder of objects, each of another fictional patient."""
    for number in range(count):
        machine.write(f"files/{number}.dcm", report(study(patient(number + 1))))
    return machine.folder / "files"


def send(machine: Machine, count: int, title: str, port: int) -> None:
    command = [machine.tool("storescu"), "+sd", "-R", "-aec", title, machine.host, port]
    machine.run(*command, images(machine, count))


def archive(machine: Machine, port: int, **settings: object) -> None:
    machine.python(port, ARCHIVE, json.dumps([{"host": machine.host, "port": port, **settings}]))


def dcmqrscp(machine: Machine, port: int, title: str, peers: str, *options: object) -> None:
    (machine.folder / "db").mkdir()
    config = machine.write(
        "dcmqrscp.cfg",
        f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
        f"HostTable BEGIN\nroom = (ECHO1, {machine.host}, 5678)\nHostTable END\n"
        "VendorTable BEGIN\nVendorTable END\nAETable BEGIN\n"
        f"{title} {machine.folder / 'db'} RW (20, 100mb) {peers}\nAETable END\n",
    )
    machine.start(port, machine.tool("dcmqrscp"), "-c", config, *options)


@PART.machine({11112: ("X03", "X06")}, needs="dcmtk", everywhere=True)
def storescp_lax(machine: Machine) -> None:
    machine.start(11112, machine.tool("storescp"), "-od", machine.folder, 11112)


@PART.machine({104: ("X05", *OPEN)}, needs="dcmtk", everywhere=True, counts={"X01": 3})
def dcmqrscp_lax(machine: Machine) -> None:
    dcmqrscp(machine, 104, "ARCHIVE", "ANY")
    send(machine, 3, "ARCHIVE", 104)


@PART.machine({104: ()}, needs="dcmtk", everywhere=True)
def dcmqrscp_strict(machine: Machine) -> None:
    dcmqrscp(machine, 104, "CABINET7X", "room")


@PART.machine({2104: ("X04", "X05", "X06")}, needs="dcmtk", everywhere=True, counts={"X04": 1})
def worklist(machine: Machine) -> None:
    text = machine.write("one.txt", WORKLIST)
    machine.write("lists/WORKLIST/lockfile", "")
    machine.run(machine.tool("dump2dcm"), text, machine.folder / "lists/WORKLIST/one.wl")
    program = machine.tool("wlmscpfs")
    machine.start(2104, program, "-dfp", machine.folder / "lists", 2104)


@PART.machine({2762: ("X03", "X07")}, needs="dcmtk", everywhere=True)
def tls_for_anybody(machine: Machine) -> None:
    cert, key = keys(machine)
    options = ("+tls", key, cert, "-ic", "-od", machine.folder)
    machine.start(2762, machine.tool("storescp"), *options, 2762)


@PART.machine({2762: ()}, needs="dcmtk", everywhere=True)
def tls_for_known_devices(machine: Machine) -> None:
    cert, key = keys(machine)
    options = ("+tls", key, cert, "+cf", cert, "-rc", "-od", machine.folder)
    machine.start(2762, machine.tool("storescp"), *options, 2762)


@PART.machine(
    {4242: OPEN, 8042: ("X08", "X10", "X12", "X15")},
    needs=("orthanc", "dcmtk"),
    everywhere=True,
    counts={"X01": 4, "X08": 4, "X10": 4},
)
def orthanc_open(machine: Machine) -> None:
    orthanc(
        machine,
        4242,
        8042,
        RemoteAccessAllowed=True,
        AuthenticationEnabled=False,
        DicomAlwaysAllowFind=True,
        DicomAlwaysAllowGet=True,
        Plugins=[DICOMWEB],
    )
    send(machine, 4, "ORTHANC", 4242)


@PART.machine({4242: ("X03",)}, needs="orthanc", everywhere=True)
def orthanc_as_it_comes(machine: Machine) -> None:
    """It refuses strangers' queries, and takes their images."""
    orthanc(machine, 4242)


@PART.machine({4242: ()}, needs="orthanc", everywhere=True)
def orthanc_for_known_devices(machine: Machine) -> None:
    """As X03's remedy has it."""
    orthanc(machine, 4242, DicomAlwaysAllowStore=False, DicomAlwaysAllowEcho=False)


@PART.machine({4242: (), 8042: ()}, needs="orthanc", everywhere=True)
def orthanc_closed(machine: Machine) -> None:
    orthanc(
        machine,
        4242,
        8042,
        DicomAet="CABINET7X",
        DicomCheckCalledAet=True,
        DicomCheckModalityHost=True,
        RemoteAccessAllowed=True,
        AuthenticationEnabled=True,
        RegisteredUsers={"alice": "Tilleul-Phare-47"},
    )


def orthanc_in_tls(machine: Machine, dicom: int, web: int, **settings: object) -> None:
    """Orthanc on its own DICOM port with TLS, and its web interface behind nginx."""
    cert, key = keys(machine)
    orthanc(
        machine,
        dicom,
        8043,
        DicomTlsEnabled=True,
        DicomTlsCertificate=str(cert),
        DicomTlsPrivateKey=str(key),
        DicomTlsTrustedCertificates=str(cert),
        RemoteAccessAllowed=False,
        Plugins=[DICOMWEB],
        **settings,
    )
    onward = "location / { proxy_pass http://127.0.0.1:8043; }"
    nginx(machine, f"listen {web} ssl; {encrypted(cert, key)} {onward}", port=web)


@PART.machine(
    {50104: ("X01", "X02", "X03", "X07", "X24"), 44321: ("X08", "X10", "X12", "X15")},
    needs=("orthanc", "nginx"),
    everywhere=True,
)
def orthanc_in_tls_for_anybody(machine: Machine) -> None:
    """Everything encrypted, on unusual ports, and open all the same."""
    orthanc_in_tls(
        machine,
        50104,
        44321,
        DicomTlsRemoteCertificateRequired=False,
        DicomAlwaysAllowFind=True,
        DicomAlwaysAllowGet=True,
        AuthenticationEnabled=False,
    )


@PART.machine({2762: (), 443: ()}, needs=("orthanc", "nginx"), everywhere=True)
def orthanc_in_tls_for_known_devices(machine: Machine) -> None:
    accounts = {"alice": "Tilleul-Phare-47"}
    orthanc_in_tls(machine, 2762, 443, AuthenticationEnabled=True, RegisteredUsers=accounts)


@PART.machine({40001: ("X01", "X02", "X04", "X06")}, counts={"X01": 50})
def pynetdicom_lax(machine: Machine) -> None:
    """More patients than are counted, on a port of no protocol."""
    archive(machine, 40001, patients=60)


@PART.machine({11112: ("X01", "X02", "X04", "X06")}, counts={"X01": 2})
def small_and_slow(machine: Machine) -> None:
    """A place for one caller, whose name it looks up before it answers."""
    archive(machine, 11112, patients=2, most=1, slow=2)


@PART.machine({11112: ()})
def pynetdicom_strict(machine: Machine) -> None:
    archive(machine, 11112, patients=3, called="CABINET7X", calling="ECHO1")


@PART.machine({4006: ("X01", "X02", "X04", "X05", "X06")}, counts={"X01": 2})
def guessable_title(machine: Machine) -> None:
    archive(machine, 4006, patients=2, called="PACS")


@pytest.fixture(scope="module")
def seen(lan: Lan) -> Iterator[Seen]:
    with lan.audited(PART) as found:
        yield found


@pytest.mark.parametrize("name", PART.machines)
def test_a_machine_is_told_as_what_it_is(seen: Seen, name: str) -> None:
    seen.check(name)


def test_orthanc_as_it_comes_is_likely_to_take_images(seen: Seen) -> None:
    found = seen.finding("orthanc_as_it_comes", 4242, "X03")
    assert (found["severity"], found["confidence"]) == ("medium", "likely")


def test_memory_stays_bounded(seen: Seen) -> None:
    assert seen.peak_kib < 150 * 1024


def test_more_than_are_counted_says_so(seen: Seen) -> None:
    readable = seen.finding("pynetdicom_lax", 40001, "X01")["readable"]
    assert readable == {"count": 50, "capped": True, "unit": "patients"}
