"""Web servers are recognised by what they answer, and what is readable is counted, never kept."""

from __future__ import annotations

import pytest
from tests.e2e.network.running import audited
from tests.e2e.network.webs import Answer, Web, web

from serment.core.exposure.findings import Readable, Unit
from serment.core.exposure.seen import Answer as Said
from serment.core.exposure.seen import Files, Http, Service

NAME = "PLANTÉ^Nemo"
JSON = {"Content-Type": "application/dicom+json"}


def study(number: int) -> dict[str, object]:
    return {
        "0020000D": {"vr": "UI", "Value": [f"2.25.{number}"]},
        "00100020": {"vr": "LO", "Value": [f"FICTIF{number // 2}"]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": NAME}]},
    }


def bundle(total: int) -> dict[str, object]:
    return {"resourceType": "Bundle", "type": "searchset", "total": total}


ORTHANC = {"Name": "x", "Version": "1.12.1", "ApiVersion": 23, "DicomAet": "ORTHANC"}
REALM = {"WWW-Authenticate": 'Basic realm="Orthanc Secure Area"'}
LISTING = '<title>Index of /</title><a href="../">up</a><a href="patients.csv">p</a>'
REDIRECT = Answer("", 302, {"Location": "/app/explorer.html"})

SERVERS = {
    "orthanc": (
        {
            "/": REDIRECT,
            "/app/explorer.html": Answer("<title>Orthanc Explorer</title>"),
            "/system": Answer(ORTHANC),
            "/statistics": Answer({"CountPatients": 73}),
        },
        Http("orthanc", 200, interface=Said.YES, readable=Readable(50, True, Unit.PATIENTS)),
    ),
    "orthanc closed": (
        {"/": Answer("", 401, REALM), "/system": Answer("", 401, REALM)},
        Http("orthanc", 401, login=Said.YES, interface=Said.REFUSED),
    ),
    "dicomweb": (
        {"/dicom-web/studies": Answer([study(n) for n in range(12)], headers=JSON)},
        Http("dicomweb", 404, interface=Said.YES, readable=Readable(6, False, Unit.PATIENTS)),
    ),
    "dicomweb, empty": (
        {"/rs/studies": Answer([], headers=JSON)},
        Http("dicomweb", 404, interface=Said.YES, readable=Readable(0, False, Unit.STUDIES)),
    ),
    "dcm4chee": (
        {
            "/dcm4chee-arc/aets": Answer([{"dicomAETitle": "CABINET"}]),
            "/dcm4chee-arc/aets/CABINET/rs/studies": Answer([study(1)], headers=JSON),
        },
        Http(
            "dcm4chee",
            404,
            interface=Said.YES,
            readable=Readable(1, False, Unit.PATIENTS),
            also=frozenset({"dicomweb"}),
        ),
    ),
    "fhir": (
        {"/fhir/Patient": Answer(bundle(31))},
        Http("fhir", 404, interface=Said.YES, readable=Readable(31, False, Unit.PATIENTS)),
    ),
    **{
        kind: (
            {
                "/fhir/Patient": Answer(bundle(3)),
                "/fhir/metadata": Answer(
                    {"resourceType": "CapabilityStatement", "software": software}
                ),
            },
            Http("fhir", 404, interface=Said.YES, readable=Readable(3, False, Unit.PATIENTS)),
        )
        for kind, software in {
            "fhir known": {"name": "HAPI FHIR Server", "version": "6.8.0"},
            "fhir of somebody": {"name": "FICTIF Huguette 1950", "version": "Huguette"},
        }.items()
    },
    "fhir closed": (
        {
            "/fhir/Patient": Answer({"resourceType": "OperationOutcome"}, 401),
            "/fhir/metadata": Answer({"resourceType": "CapabilityStatement"}),
        },
        Http("fhir", 404, login=Said.YES, interface=Said.REFUSED),
    ),
    "ohif": ({"/": Answer("<title>OHIF Viewer</title>")}, Http("ohif", 200)),
    "viewer below": (
        {"/": Answer("hello"), "/viewer/": Answer("<title>MedDream DICOM Viewer</title>")},
        Http("meddream", 200),
    ),
    "nas": (
        {"/": Answer('<title>DiskStation</title>Synology <input type="password">')},
        Http("nas", 200, login=Said.YES),
    ),
    "printer": ({"/": Answer("<title>HP LaserJet MFP M426</title>")}, Http("printer", 200)),
    "box": ({"/": Answer("<title>Livebox</title>")}, Http("box", 200)),
    "listing": (
        {
            "/": Answer(LISTING + '<a href="images/">i</a><a href="logo.css">l</a>'),
            "/images/": Answer(
                '<title>Index of /images</title><a href="IM0001">1</a><a href="b.dcm">2</a>'
            ),
        },
        Http(
            "listing",
            200,
            readable=Readable(3, False, Unit.FILES),
            listed={"table": 1, "dicom": 2},
        ),
    ),
    "listing below": (
        {
            "/": Answer("hello"),
            "/backup/": Answer(
                '<title>Index of</title><a href="/">up</a><a href="a.sql">a</a>'
                '<a href="/backup/old/">old</a><a href="/other/">elsewhere</a>'
            ),
            "/backup/old/": Answer('<title>Index of</title><a href="/backup/old/b.zip">b</a>'),
            "/other/": Answer('<title>Index of</title><a href="c.dcm">c</a>'),
        },
        Http(
            "listing",
            200,
            readable=Readable(2, False, Unit.FILES),
            listed={"database": 1, "archive": 1},
        ),
    ),
    "plain": ({"/": Answer("<title>Cabinet</title>Bonjour")}, Http("", 200)),
    "catch-all": (
        {"/": Answer("<title>Application</title>")},
        Http("", 200),
    ),
    "webdav": (
        {
            "OPTIONS /": Answer("", 200, {"DAV": "1,2", "Allow": "OPTIONS, PROPFIND, PUT"}),
            "PROPFIND /": Answer(
                '<D:multistatus xmlns:D="DAV:"><D:response><D:href>/</D:href></D:response>'
                "<D:response><D:href>/a</D:href><D:collection/></D:response></D:multistatus>",
                207,
            ),
            "PROPFIND /a/": Answer(
                '<d:multistatus xmlns:d="DAV:"><d:response><d:href>http://elsewhere.example/a/'
                "bilan%20d&apos;hiver.pdf</d:href></d:response></d:multistatus>",
                207,
            ),
        },
        Files(Said.YES, {"document": 1}, 1, Readable(1, False, Unit.FILES), writable=Said.YES),
    ),
    "elasticsearch": (
        {
            "/": Answer({"cluster_name": "x", "version": {"number": "7.10.2"}}),
            "/_count": Answer({"count": 4}),
        },
        Http(
            "elasticsearch",
            200,
            login=Said.REFUSED,
            interface=Said.YES,
            readable=Readable(4, False, Unit.ROWS),
        ),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def seen() -> dict[str, tuple[Service, Web]]:
    """All of them audited at once."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        webs = {
            kind: stack.enter_context(
                web(pages, otherwise=pages["/"] if kind == "catch-all" else None)
            )
            for kind, (pages, _) in SERVERS.items()
        }
        found = audited(*(each.port for each in webs.values()))
    return {kind: (found[each.port], each) for kind, each in webs.items()}


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_is_what_it_answers(seen: dict[str, tuple[Service, Web]], kind: str) -> None:
    service, _ = seen[kind]
    assert service.facts == SERVERS[kind][1]
    assert not service.cut


def test_products_and_versions_are_told(seen: dict[str, tuple[Service, Web]]) -> None:
    told = {kind: (service.product, service.version) for kind, (service, _) in seen.items()}
    assert told["orthanc"] == ("Orthanc", "1.12.1")
    assert told["elasticsearch"] == ("Elasticsearch", "7.10.2")
    assert told["fhir known"] == ("HAPI FHIR", "6.8.0")
    assert told["fhir of somebody"] == ("", "")
    assert told["nas"] == ("Synology DSM", "")
    assert told["webdav"] == ("", "")


def test_the_other_side_knows_who_asked(seen: dict[str, tuple[Service, Web]]) -> None:
    for _, server in seen.values():
        assert {agent for agent in server.agents if not agent.startswith("SERMENT-AUDIT/")} == set()


def test_nothing_but_questions_is_sent(seen: dict[str, tuple[Service, Web]]) -> None:
    """Neither an account without the switch, nor a method that changes anything."""
    for _, server in seen.values():
        assert server.authorizations == []
        assert {line.split()[0] for line in server.asked} <= {"GET", "OPTIONS", "PROPFIND"}


@pytest.mark.parametrize("right", [True, False])
def test_a_documented_account_is_tried_once(right: bool) -> None:
    closed = dict(SERVERS["orthanc closed"][0])
    if right:
        closed["signed in /system"] = Answer(ORTHANC)
    with web(closed) as server:
        facts = audited(server.port, default_accounts=True)[server.port].facts
    assert isinstance(facts, Http)
    assert facts.default_account is (Said.YES if right else Said.REFUSED)
    assert server.authorizations == ["Basic b3J0aGFuYzpvcnRoYW5j"]


def test_a_database_that_answers_in_http_is_no_web_server() -> None:
    text = "It looks like you are trying to access MongoDB over HTTP on the native driver port."
    with web({"/": Answer(text)}) as server:
        assert audited(server.port)[server.port].protocol != "http"


@pytest.mark.parametrize("value", [{"x": 1}, ["1"], 7, None])
def test_studies_whose_patients_have_no_number_are_counted(value: object) -> None:
    odd = {**study(1), "00100020": {"vr": "LO", "Value": [value]}}
    with web({"/dicom-web/studies": Answer([odd, study(2)], headers=JSON)}) as server:
        service = audited(server.port)[server.port]
    assert isinstance(service.facts, Http)
    assert service.facts.application == "dicomweb"
    assert service.facts.interface is Said.YES
    assert service.facts.readable == Readable(2, False, Unit.STUDIES)
