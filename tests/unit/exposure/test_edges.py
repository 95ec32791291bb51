"""The edges of each rule: what makes it more or less serious, surer or not, and what silences it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib.resources import files

import pytest
from tests.unit.exposure.sights import GOOD_TLS, NO, NOW, OPEN_TLS, YES, scan, service

from serment.core.exposure.checking import View
from serment.core.exposure.findings import Confidence, Finding, Readable, Severity, Unit
from serment.core.exposure.products import parse_flaws
from serment.core.exposure.registry import CHECKS, judge
from serment.core.exposure.seen import (
    Answer,
    Community,
    Database,
    Dicom,
    Files,
    Gateway,
    Http,
    Mapping,
    Messages,
    Remote,
    Scan,
    Service,
)

FLAWS = parse_flaws(
    files("serment.core.exposure").joinpath("products.toml").read_text(encoding="utf-8")
)
CRITICAL, HIGH, MEDIUM, LOW = list(Severity)[:4]
SURE, LIKELY, POSSIBLE = list(Confidence)
SEVEN = Readable(7, False, Unit.ROWS)
LOOP = "127.0.0.9"
SQL = "Microsoft SQL Server"

Edge = tuple[str, Service, Severity | None, Confidence | None, str]

EDGES: tuple[Edge, ...] = (
    ("X05", service("dicom", 104, Dicom(title="", any_title=True)), None, None, ""),
    ("X05", service("dicom", 104, Dicom(title="PACS", any_title=True)), None, None, ""),
    ("X06", service("dicom", 104, Dicom(frozenset({"find"}), studies=YES)), MEDIUM, SURE, ""),
    ("X06", service("dicom", 104, Dicom(worklist=YES)), MEDIUM, SURE, ""),
    ("X06", service("dicom", 104, Dicom(frozenset({"find"}), studies=NO)), LOW, SURE, ""),
    ("X06", service("dicom", 104, Dicom(frozenset({"store"})), tls=OPEN_TLS), None, None, ""),
    ("X07", service("dicom", 104, Dicom(frozenset({"store"}))), None, None, ""),
    ("X08", service("http", 80, Http("orthanc", 401, YES, NO)), None, None, ""),
    ("X08", service("http", 80, Http("nas", 200, NO, YES)), None, None, ""),
    ("X08", service("http", 80, Http("pacsone", 200, NO, YES, SEVEN)), CRITICAL, SURE, "PacsOne"),
    ("X09", service("ftp", 21, Files(default_account=YES)), CRITICAL, SURE, "ftp"),
    ("X09", service("mysql", 1, Database(default_account=YES), product="M"), CRITICAL, SURE, "M "),
    ("X09", service("mysql", 1, Database(default_account=NO)), None, None, ""),
    ("X10", service("http", 80, Http("dicomweb", 401, YES, NO)), None, None, ""),
    ("X11", service("http", 80, Http("ohif", 200, YES)), LOW, SURE, "OHIF Viewer asks"),
    ("X11", service("http", 80, Http("ohif", 200, YES), tls=OPEN_TLS), None, None, ""),
    ("X11", service("http", 80, Http("ohif", 200), tls=OPEN_TLS), HIGH, LIKELY, "OHIF Viewer opened"),
    ("X11", service("http", 80, Http(also=frozenset({"stone"}))), HIGH, LIKELY, "Stone Web"),
    ("X11", service("http", 80, Http("viewer"), product="nginx"), HIGH, LIKELY, "An image viewer o"),
    ("X11", service("http", 80, Http("viewer", 200, YES)), LOW, SURE, "An image viewer asks"),
    ("X12", service("http", 80, product="Orthanc", version="1.12.10"), HIGH, LIKELY, "in 1.12.11"),
    ("X12", service("http", 80, product="Orthanc", version="1.12.10"), HIGH, LIKELY, "5440 ..."),
    ("X12", service("dicom", 80, product="DCMTK", version="3.7.0"), LOW, POSSIBLE, "50254, "),
    ("X12", service("smb", 80, product="Samba", version="4.9.5-Debian"), LOW, POSSIBLE, ""),
    ("X12", service("ftp", 21, product="vsftpd", version="2.3.4"), HIGH, LIKELY, "CVE-2011-2523"),
    ("X12", service("ftp", 21, product="vsftpd"), None, None, ""),
    ("X12", service("mssql", 1, product=SQL, version="11.0.7001"), MEDIUM, LIKELY, "2022-07-12"),
    ("X12", service("mssql", 1, product=SQL, version="16.0.4085"), None, None, ""),
    ("X12", service("mssql", 1, product=SQL), None, None, ""),
    ("X13", service("ftp", 21, Files(YES, {"other": 3})), HIGH, SURE, "no health file"),
    ("X13", service("ftp", 21, Files(YES, shown=NO)), HIGH, SURE, "could not be listed"),
    ("X13", service("ftp", 21, Files(YES, shown=YES)), HIGH, SURE, "no health file"),
    ("X13", service("ftp", 21, Files(YES, {"document": 3})), CRITICAL, SURE, "document: 3"),
    ("X13", service("smb", 21, Files(YES, {"document": 3})), None, None, ""),
    ("X13", service("ftp", 21, Files(NO)), None, None, ""),
    ("X14", service("ftp", 21, Files(encrypted=Answer.NOT_ASKED)), None, None, ""),
    ("X14", service("ftp", 990, Files(encrypted=NO), tls=GOOD_TLS), None, None, ""),
    ("X14", service("smb", 445, Files(encrypted=NO)), None, None, ""),
    ("X15", service("smb", 445, Files(YES)), LOW, SURE, "no content"),
    ("X15", service("rsync", 873, Files(YES)), Severity.INFO, SURE, "names of its modules"),
    ("X15", service("smb", 445, Files(YES, shares=2)), CRITICAL, SURE, "account: 2"),
    ("X15", service("smb", 445, Files(YES, {"other": 1})), CRITICAL, SURE, "account: 0"),
    ("X15", service("afp", 548, Files(YES, readable=SEVEN)), CRITICAL, SURE, ""),
    ("X15", service("webdav", 80, Files(YES, {"dicom": 2}, 1)), CRITICAL, SURE, "dicom: 2"),
    ("X15", service("smb", 445, Files(NO, shares=2)), None, None, ""),
    ("X15", service("ftp", 21, Files(YES, {"dicom": 2}, 1)), None, None, ""),
    ("X16", service("smb", 445, Files(dialects=("SMB3",), signing=NO)), LOW, SURE, "signed"),
    ("X16", service("smb", 445, Files(dialects=("SMB3",), signing=YES)), None, None, ""),
    ("X16", service("ftp", 445, Files(dialects=("NT1",))), None, None, ""),
    ("X17", service("http", 80, Http(listed={"document": 9})), HIGH, POSSIBLE, "document: 9"),
    ("X17", service("http", 80, Http(listed={"document": 9, "dicom": 1})), CRITICAL, LIKELY, ""),
    ("X17", service("http", 80, Http(listed={"other": 9})), LOW, POSSIBLE, "health: 9"),
    ("X18", service("mysql", 1, Database(YES, "root", SEVEN), host=LOOP), CRITICAL, SURE, "as root"),
    ("X18", service("redis", 1, Database(YES, "", SEVEN), host=LOOP), CRITICAL, SURE, "account; 7"),
    ("X18", service("http", 1, Http(also=frozenset({"elasticsearch"}))), CRITICAL, SURE, ""),
    ("X18", service("http", 1, Http("elasticsearch", 401, YES, NO)), None, None, ""),
    ("X18", service("memcached", 1, Database(YES)), None, None, ""),
    ("X19", service("mllp", 1, Messages(YES), tls=OPEN_TLS), MEDIUM, SURE, "inside TLS"),
    ("X19", service("mllp", 1, Messages(YES)), HIGH, SURE, "without TLS"),
    ("X19", service("mllp", 1, Messages(NO)), None, None, ""),
    ("X20", service("http", 1, Http("fhir", 401, YES, NO)), None, None, ""),
    ("X21", service("rdp", 1, Remote(network_level=NO)), HIGH, SURE, "Network Level"),
    ("X21", service("rdp", 1, Remote(network_level=YES)), None, None, ""),
    ("X21", service("vnc", 1, Remote(network_level=NO)), None, None, ""),
    ("X21", service("telnet", 1, Remote(clear=True)), HIGH, SURE, "Telnet"),
    ("X21", service("telnet", 1, Remote(YES, clear=True)), CRITICAL, SURE, "TELNET let"),
    ("X21", service("vnc", 1, Remote(NO, clear=True)), LOW, SURE, "VNC asks"),
    ("X22", service("igd", 1, Gateway((), "", YES)), LOW, SURE, "lists no forwarding"),
    ("X22", service("igd", 1, Gateway((), "", NO)), None, None, ""),
    ("X24", service("http", 1, tls=replace(OPEN_TLS, expires=NOW)), MEDIUM, SURE, "expired on"),
    ("X24", service("http", 1, tls=replace(OPEN_TLS, key_bits=192)), MEDIUM, SURE, "192 bits"),
    ("X24", service("http", 1, tls=replace(OPEN_TLS, key_bits=224)), None, None, ""),
    ("X24", service("http", 1, tls=replace(OPEN_TLS, key_bits=0)), None, None, ""),
    ("X24", service("http", 1, tls=replace(OPEN_TLS, key_kind="RSA", key_bits=2048)), None, None, ""),
    ("X24", service("http", 1, tls=replace(OPEN_TLS, key_kind="RSA", key_bits=1025)), MEDIUM, SURE, ""),
    ("X24", service("http", 1, tls=replace(OPEN_TLS, key_kind="RSA", key_bits=0)), None, None, ""),
    ("X24", service("http", 1, tls=replace(OPEN_TLS, expires=None)), None, None, ""),
    ("X24", service("http", 1, tls=replace(OPEN_TLS, understood=False, self_signed=True)), None, None, ""),
    (
        "X24",
        service("http", 1, tls=replace(OPEN_TLS, self_signed=True, signature="sha1")),
        LOW, SURE, "vouches for itself",
    ),
    ("X25", service("http", 1, Http("printer")), LOW, SURE, "printer"),
    ("X25", service("http", 1, Http("box", 200, YES)), LOW, SURE, "box"),
    ("X25", service("http", 1, Http("nas"), tls=OPEN_TLS), None, None, ""),
    ("X25", service("http", 1, Http("orthanc", 401, YES)), LOW, SURE, "Orthanc"),
    ("X25", service("http", 1, Http("orthanc", 200, NO)), None, None, ""),
    ("X25", service("http", 1, Http("", 401, YES)), None, None, ""),
    ("X25", service("http", 1, Http("igd")), None, None, ""),
    ("X25", service("http", 1, Http("orthanc", 403, interface=NO)), None, None, ""),
    ("X25", service("http", 1, Http("nas", 502), product="QNAP"), None, None, ""),
    ("X25", service("http", 1, Http("nas", 403), product="QNAP"), None, None, ""),
    ("X25", service("http", 1, Http("nas", 401, YES), product="nginx"), MEDIUM, SURE, "NAS asks"),
    ("X25", service("http", 1, Http("nas", 200), product="QNAP"), MEDIUM, SURE, "page of QNAP came"),
    ("X26", service("http", 1, Http("orthanc"), host="2001:db8::1"), HIGH, LIKELY, "orthanc"),
    ("X26", service("mssql", 1, Database(NO), host="2001:db8::1"), HIGH, LIKELY, "mssql"),
    ("X26", service("http", 1, Http("printer"), host="2001:db8::1"), None, None, ""),
    ("X26", service("dicom", 1, Dicom(), host="fe80::1%eth0"), None, None, ""),
    ("X26", service("dicom", 1, Dicom(), host="192.168.1.1"), None, None, ""),
    ("X26", service("dicom", 1, Dicom(), host="pacs.local"), None, None, ""),
    ("X27", service("memcached", 1, Database(NO)), None, None, ""),
    ("X27", service("redis", 1, Database(YES)), None, None, ""),
    ("X28", service("redis", 1, Database(NO), product="Redis"), LOW, SURE, "Redis answered"),
    ("X28", service("redis", 1, Database(YES)), None, None, ""),
    ("X28", service("redis", 1, Database(Answer.NOTHING)), None, None, ""),
    ("X28", service("mysql", 1, Database(NO, encrypted=NO)), LOW, SURE, "does not offer to encrypt"),
    ("X28", service("redis", 1, Database(NO, shut=True)), LOW, SURE, "turned us away without asking"),
    ("X28", service("redis", 1, Database(Answer.NOTHING)), None, None, ""),
    ("X28", service("mysql", 1, Database(NO, encrypted=YES)), LOW, SURE, "asked for an account"),
    ("X28", service("elasticsearch", 1, Http("elasticsearch", 401, YES, NO)), LOW, SURE, "answered"),
    ("X28", service("redis", 1, Database(NO), host="127.0.0.1"), None, None, ""),
    ("X28", service("redis", 1, Database(NO), host="::1"), None, None, ""),
    ("X29", service("rsync", 1, Files(NO)), LOW, SURE, "RSYNC"),
    ("X29", service("webdav", 1, Files(NO), tls=OPEN_TLS), None, None, ""),
    ("X29", service("smb", 1, Files(NO)), None, None, ""),
    ("X30", service("snmp", 161, Community(NO)), None, None, ""),
    ("X30", service("snmp", 161, Community(YES), product="Kyocera printer"), LOW, SURE, ""),
    ("X31", service("ssh", 22, Remote()), None, None, ""),
    ("X31", service("telnet", 22, Remote(password_only=True)), None, None, ""),
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "one", "severity", "confidence", "evidence"),
    EDGES,
    ids=[f"{edge[0]}-{number}" for number, edge in enumerate(EDGES)],
)
def test_edge(
    name: str,
    one: Service,
    severity: Severity | None,
    confidence: Confidence | None,
    evidence: str,
) -> None:
    found = stated(scan(one), name)
    assert [(each.severity, each.confidence) for each in found] == (
        [] if severity is None else [(severity, confidence)]
    )
    if found:
        assert evidence in found[0].evidence.format(**found[0].values)


def stated(seen: Scan, name: str) -> list[Finding]:
    return judge(View(seen, FLAWS), [name])[0]


def test_a_few_cves_are_all_named() -> None:
    (one,) = stated(scan(service("dicom", 1, product="DCMTK", version="3.6.7")), "X12")
    assert "..." in one.evidence.format(**one.values)
    assert len(one.cves) == 5
    (other,) = stated(scan(service("ftp", 1, product="vsftpd", version="2.3.4")), "X12")
    assert "..." not in other.evidence.format(**other.values)
    assert "mended" not in other.evidence.format(**other.values)  # no fixed version is known


def test_a_version_is_mended_up_to_the_day_it_ended() -> None:
    old = service("mssql", 1, product=SQL, version="13.0.6300")
    last_day = NOW.replace(year=2026, month=7, day=14)
    assert stated(replace(scan(old), at=last_day), "X12") == []
    (found,) = stated(replace(scan(old), at=last_day + timedelta(days=1)), "X12")
    assert found.cves == ()
    assert "flaws" not in found.title.lower() + found.remedy.lower()


def test_a_database_that_says_nothing_is_not_checked() -> None:
    findings, skipped = judge(
        View(scan(service("redis", 1, Database(Answer.NOTHING))), ()), ["X18"]
    )
    assert (findings, [each.check for each in skipped]) == ([], ["X18"])


def test_an_empty_ftp_is_not_said_to_hold_health_files() -> None:
    (empty,) = stated(scan(service("ftp", 21, Files(YES))), "X13")
    (full,) = stated(scan(service("ftp", 21, Files(YES, {"dicom": 1}))), "X13")
    assert (full.title, full.remedy) == (CHECKS["X13"].title, CHECKS["X13"].remedy)
    assert "health" not in empty.title.lower() + empty.remedy.lower()


def test_a_forwarding_over_udp_is_not_one_to_what_listens_over_tcp() -> None:
    box = service("igd", 5000, Gateway((Mapping(1, "192.168.1.20", 104, "UDP"),)), host=LOOP)
    found = stated(scan(box, service("dicom", 104, Dicom())), "X22")
    assert [(each.place.host, each.severity) for each in found] == [(LOOP, LOW)]


def test_a_certificate_ends_at_its_second() -> None:
    soon = service("http", 1, tls=replace(OPEN_TLS, expires=NOW + timedelta(seconds=1)))
    assert stated(scan(soon), "X24") == []
    assert stated(replace(scan(soon), at=None), "X24") == []


@pytest.mark.parametrize("kind", ["printer", "http"])
def test_snmp_beside_a_printer(kind: str) -> None:
    beside = service(kind, 9100, Http("printer") if kind == "http" else None)
    snmp = service("snmp", 161, Community(YES))
    elsewhere = service("snmp", 161, Community(YES), host="192.168.1.77")
    found = stated(scan(beside, snmp, elsewhere), "X30")
    assert [(each.place.host, each.severity) for each in found] == [
        ("192.168.1.77", MEDIUM),
        ("192.168.1.20", LOW),
    ]


def test_ports_opened_by_hand() -> None:
    (found,) = stated(scan(manual_rules=True), "X23")
    assert (found.severity, found.confidence, found.place.host) == (HIGH, LIKELY, "box")
    box = service("igd", 5000, Gateway(), host="192.168.1.1")
    (found,) = stated(scan(box, dmz=True, manual_rules=True), "X23")
    assert (found.severity, found.confidence) == (CRITICAL, LIKELY)
    assert (found.place.host, found.place.port) == ("192.168.1.1", 0)
    assert stated(scan(dmz=False, manual_rules=False), "X23") == []


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (scan(), "not checked from outside, and nobody was asked about the box"),
        (scan(dmz=False), "not checked from outside"),
        (scan(shared=True), "shared address, not checked"),
    ],
)
def test_why_the_outside_is_not_known(seen: Scan, reason: str) -> None:
    assert [each.reason for each in judge(View(seen), ["X23"])[1]] == [reason]


def test_factory_accounts_that_were_tried_are_not_called_untried() -> None:
    tried = scan(service("http", 80, Http(default_account=NO)), service("ssh", 22, Remote()))
    assert judge(View(tried), ["X09"]) == ([], [])
    untried = scan(service("http", 80, Http()))
    assert [each.check for each in judge(View(untried), ["X09"])[1]] == ["X09"]


def test_a_tls_that_went_silent_is_not_checked() -> None:
    silent = scan(service("tls", 443, tls=replace(OPEN_TLS, understood=False)))
    assert [each.check for each in judge(View(silent), ["X24"])[1]] == ["X24", ""]


def test_a_box_that_answers_is_not_called_silent() -> None:
    _, skipped = judge(View(scan(service("igd", 1, Gateway()))), ["X22"])
    assert [each.reason for each in skipped] == ["the box did not say which ports it forwards"]
