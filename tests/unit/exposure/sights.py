"""Services as probes would see them, fictional: for each check one that is wrong, and well-kept ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from serment.core.exposure.findings import Place, Readable, Severity, Unit
from serment.core.exposure.seen import (
    Answer,
    Community,
    Database,
    Dicom,
    Facts,
    Files,
    Gateway,
    Http,
    Messages,
    Remote,
    Scan,
    Service,
    Tls,
)
from serment.core.exposure.seen import (
    Mapping as Forwarding,
)

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
YES, NO, NOTHING = Answer.YES, Answer.REFUSED, Answer.NOTHING
HOST = "192.168.1.20"
ROUTABLE = "2001:db8:1::20"  # documentation prefix (RFC 3849), inside 2000::/3
GOOD_TLS = Tls(
    versions=("TLSv1.2", "TLSv1.3"),
    client_certificate=YES,
    expires=NOW + timedelta(days=300),
    key_kind="EC",
    key_bits=256,
    signature="sha256",
)
OPEN_TLS = replace(GOOD_TLS, client_certificate=NO)  # as web servers: anybody may begin


def service(
    protocol: str,
    port: int,
    facts: Facts = None,
    *,
    host: str = HOST,
    tls: Tls | None = None,
    product: str = "",
    version: str = "",
) -> Service:
    place = Place(host, port, protocol)
    return Service(place, protocol, product=product, version=version, tls=tls, facts=facts)


def scan(*services: Service, **more: object) -> Scan:
    return Scan(services, at=NOW, **more)  # type: ignore[arg-type]


MANY = Readable(50, True, Unit.PATIENTS)
FEW = Readable(3, False, Unit.PATIENTS)
STRICT = Dicom(refusal="calling", titles_tried=1)
OPEN_FIND = Dicom(
    accepted=frozenset({"echo", "find"}), title="", any_title=True, studies=YES, patients=MANY
)

# For each check, one audit in which exactly it is wrong, and how serious that is.
BAD: Mapping[str, tuple[Scan, Severity]] = {
    "X01": (scan(service("dicom", 11112, OPEN_FIND)), Severity.CRITICAL),
    "X02": (
        scan(service("dicom", 104, Dicom(accepted=frozenset({"get", "move"}), any_title=True))),
        Severity.CRITICAL,
    ),
    "X03": (
        scan(service("dicom", 104, Dicom(accepted=frozenset({"store"}), any_title=True))),
        Severity.HIGH,
    ),
    "X04": (
        scan(
            service(
                "dicom",
                104,
                Dicom(frozenset({"worklist"}), any_title=True, worklist=YES, appointments=FEW),
            )
        ),
        Severity.CRITICAL,
    ),
    "X05": (
        scan(service("dicom", 104, Dicom(frozenset({"echo"}), title="ORTHANC", titles_tried=2))),
        Severity.HIGH,
    ),
    "X06": (
        scan(service("dicom", 104, Dicom(frozenset({"echo", "find"}), any_title=True))),
        Severity.MEDIUM,
    ),
    "X07": (
        scan(service("dicom", 2762, Dicom(frozenset({"echo"})), tls=OPEN_TLS)),
        Severity.HIGH,
    ),
    "X08": (
        scan(service("http", 8042, Http("orthanc", 200, NO, YES, MANY), product="Orthanc")),
        Severity.CRITICAL,
    ),
    "X09": (
        scan(service("http", 8042, Http("orthanc", 401, YES, NO, default_account=YES))),
        Severity.CRITICAL,
    ),
    "X10": (scan(service("http", 8080, Http("dicomweb", 200, NO, YES, MANY))), Severity.CRITICAL),
    "X11": (scan(service("http", 3000, Http("ohif", 200, NO))), Severity.HIGH),
    "X12": (
        scan(service("http", 8042, Http("orthanc", 200), product="Orthanc", version="1.10.1")),
        Severity.HIGH,
    ),
    "X13": (
        scan(service("ftp", 21, Files(YES, {"dicom": 3, "table": 1}, encrypted=YES))),
        Severity.CRITICAL,
    ),
    "X14": (scan(service("ftp", 21, Files(NO, encrypted=NO))), Severity.MEDIUM),
    "X15": (
        scan(service("smb", 445, Files(YES, {"document": 2}, shares=1, dialects=("SMB3",)))),
        Severity.CRITICAL,
    ),
    "X16": (scan(service("smb", 445, Files(NO, dialects=("NT1", "SMB3")))), Severity.HIGH),
    "X17": (
        scan(service("http", 80, Http("listing", 200, listed={"table": 2}))),
        Severity.CRITICAL,
    ),
    "X18": (
        scan(service("postgresql", 5432, Database(YES, "postgres"), host="127.0.0.9")),
        Severity.CRITICAL,
    ),
    "X19": (scan(service("mllp", 2575, Messages(YES))), Severity.HIGH),
    "X20": (scan(service("http", 8080, Http("fhir", 200, NO, YES, FEW))), Severity.CRITICAL),
    "X21": (scan(service("vnc", 5900, Remote(without_password=YES))), Severity.CRITICAL),
    "X22": (
        scan(
            service("igd", 5000, Gateway((Forwarding(80, HOST, 4242, "TCP"),)), host="192.168.1.1"),
            service("dicom", 4242, STRICT, tls=GOOD_TLS),
        ),
        Severity.CRITICAL,
    ),
    "X23": (scan(dmz=True), Severity.CRITICAL),
    "X24": (
        scan(service("http", 443, Http(), tls=replace(OPEN_TLS, expires=NOW - timedelta(days=1)))),
        Severity.MEDIUM,
    ),
    "X25": (scan(service("http", 5000, Http("nas", 200, YES), product="NAS")), Severity.MEDIUM),
    "X26": (scan(service("dicom", 104, STRICT, host=ROUTABLE, tls=GOOD_TLS)), Severity.HIGH),
    "X27": (scan(service("memcached", 11211, Database(YES), host="127.0.0.9")), Severity.HIGH),
    "X28": (scan(service("postgresql", 5432, Database(NO))), Severity.LOW),
    "X29": (scan(service("nfs", 2049, Files(NO))), Severity.LOW),
    "X30": (scan(service("snmp", 161, Community(YES))), Severity.MEDIUM),
    "X31": (scan(service("ssh", 22, Remote(password_only=True))), Severity.LOW),
}

# What else the same audit may state, because it follows: X06 with every clear DICOM, and so on.
FOLLOWS: Mapping[str, frozenset[str]] = {
    "X01": frozenset({"X06"}),
    "X02": frozenset({"X06"}),
    "X03": frozenset({"X06"}),
    "X04": frozenset({"X06"}),
    "X05": frozenset({"X06"}),
    "X09": frozenset({"X25"}),
}

# Services of a practice that is well kept: nothing of medium or more may be stated.
WELL_KEPT: tuple[Service, ...] = (
    service("dicom", 104, STRICT),  # unknown callers are refused, in clear on the own network
    service("dicom", 107, Dicom(frozenset({"echo"}), any_title=True)),  # as many answer a test
    service(  # Orthanc 1.10.1 that lets only known devices in, and echoes to all
        "dicom",
        4242,
        Dicom(frozenset({"echo", "find", "get", "move", "store"}), any_title=True, studies=NO),
        product="DCMTK",
        version="3.6.7",
    ),
    service("dicom", 105, Dicom(refusal="called", titles_tried=60)),
    service("dicom", 2762, Dicom(), tls=GOOD_TLS),
    service("http", 8042, Http("orthanc", 401, YES, NO), product="Orthanc"),
    service("http", 443, Http("", 200), tls=replace(OPEN_TLS, self_signed=True)),
    service("http", 8443, Http("dicomweb", 401, YES, NO), tls=OPEN_TLS),
    service("http", 8444, Http("ohif", 302, YES), tls=OPEN_TLS),
    service("http", 80, Http("", 301)),
    service("http", 81, Http("printer", 200, NO), host="192.168.1.40", product="Printer"),
    service("snmp", 161, Community(YES), host="192.168.1.40"),
    service("printer", 9100, host="192.168.1.40"),
    service("http", 80, Http("box", 200, YES), host="192.168.1.1"),
    service("igd", 5000, Gateway((), "203.0.113.7", YES), host="192.168.1.1"),
    service("ftp", 21, Files(NO, encrypted=YES)),
    service("smb", 445, Files(YES, dialects=("SMB2", "SMB3"), signing=NO), product="Samba"),
    service("smb", 446, Files(NO, dialects=("SMB3",)), product="Samba", version="4.9.5-Debian"),
    service("dicom", 106, Dicom(), tls=GOOD_TLS, product="DCMTK", version="3.6.7"),
    service("postgresql", 5432, Database(NO)),
    service("redis", 6379, Database(NO)),
    service("mllp", 2575, Messages(NO), tls=GOOD_TLS),
    service("rdp", 3389, Remote(network_level=YES)),
    service("vnc", 5900, Remote(without_password=NO, clear=True)),
    service("ssh", 22, Remote()),
    service("ssh", 2222, Remote(password_only=True)),
    service("unknown", 7000),
    service("silent", 7001),
    service("http", 8888, Http("fhir", 401, YES, NO), tls=OPEN_TLS),
    service("rsync", 873, Files(NO)),
)
