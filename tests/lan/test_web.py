"""Web servers of a practice: image servers, viewers, folders, consoles, the Internet box; TLS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.lan.lan import Lan
from tests.lan.parts import Machine, Part, Seen
from tests.lan.programs import DICOMWEB, encrypted, keys, nginx, orthanc

PART = Part(2)
PAGES, BOX = Path(__file__).with_name("pages.py"), Path(__file__).with_name("box.py")
PLAIN = "<html><head><title>Cabinet</title></head><body>Bienvenue</body></html>"
OLD = "ssl_protocols {}; ssl_ciphers ALL:@SECLEVEL=0;"
STUDY = {"0020000D": {"vr": "UI", "Value": ["2.25.7"]}, "00100020": {"Value": ["FICTIF1"]}}
DICOM_JSON = {"Content-Type": "application/dicom+json"}
LOGIN = '<form action="/login"><input name="u"><input type="password" name="p"></form>'
ORTHANC = {"Name": "x", "Version": "1.12.11", "ApiVersion": 28, "DicomAet": "ORTHANC"}
REALM = {"WWW-Authenticate": 'Basic realm="Orthanc Secure Area"'}
BUNDLE = {"resourceType": "Bundle", "type": "searchset", "total": 12}
PATIENT = {"resourceType": "Patient", "id": "1", "name": [{"family": "PLANTE"}]}


def page(body: object = "", status: int = 200, **headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"body": body, "status": status, "headers": named}


def titled(title: str, body: str = "") -> dict[str, Any]:
    return page(f"<html><head><title>{title}</title></head><body>{body}</body></html>")


def site(machine: Machine, port: int, pages: dict[str, Any], **more: object) -> None:
    """A stand-in for a product that Debian does not have."""
    given = {"host": machine.host, "port": port, "pages": pages, **more}
    machine.python(port, PAGES, machine.write(f"{port}.json", json.dumps([given])))


def secured(machine: Machine, **more: object) -> dict[str, str]:
    cert, key = keys(machine, **more)
    return {"certificate": str(cert), "key": str(key)}


# nginx


@PART.machine({443: ("X24",)}, needs="nginx")
def nginx_that_protects_nothing(machine: Machine) -> None:
    """Suites of an old guide; of them this OpenSSL has those without encryption or certificate alone."""
    cert, key = keys(machine)
    suites = "ssl_protocols TLSv1.2; ssl_ciphers RC4:3DES:eNULL:aNULL:@SECLEVEL=0"
    tls = f"listen {machine.host}:443 ssl; ssl_certificate {cert}; ssl_certificate_key {key};"
    nginx(machine, f"{tls} {suites}; return 200 plain;", port=443)


@PART.machine({80: (), 443: ()}, needs="nginx")
def nginx_good(machine: Machine) -> None:
    """As Debian comes, with a certificate: old versions are written there, and not agreed to."""
    cert, key = keys(machine)
    machine.write("web/index.html", PLAIN)
    versions = "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"
    tls = f"listen {machine.host}:443 ssl; ssl_certificate {cert}; ssl_certificate_key {key};"
    nginx(
        machine,
        f"listen {machine.host}:80; return 301 https://$host$request_uri;",
        f"{tls} {versions}; root {machine.folder}/web;",
        port=80,
    )


@PART.machine({8080: ("X17", "X22")}, needs="nginx", counts={"X17": 4})
def nginx_listing(machine: Machine) -> None:
    for name in ("IM0001", "export_2019.csv", "vieux/a.dcm", "vieux/b.dcm", "vieux/style.css"):
        machine.write(f"web/dicom/{name}", "x")
    machine.write("web/index.html", PLAIN)
    root = f"root {machine.folder}/web; location /dicom/ {{ autoindex on; }}"
    nginx(machine, f"listen {machine.host}:8080; {root}", port=8080)


@PART.machine({8080: ("X17",), 8083: ("X17",)}, needs="nginx", counts={"X17": 4})
def nginx_listing_for_programs(machine: Machine) -> None:
    for name in ("IM0001", "export_2019.csv", "vieux/a.dcm", "vieux/b.dcm", "vieux/style.css"):
        machine.write(f"web/{name}", "x")
    sites = ((8080, "json"), (8083, "xml"))
    listing = f"root {machine.folder}/web; autoindex on; autoindex_format"
    servers = [f"listen {machine.host}:{port}; {listing} {kind};" for port, kind in sites]
    nginx(machine, *servers, port=8080)


@PART.machine({7003: ("X17",)}, counts={"X17": 2})
def two_extracts_on_a_page(machine: Machine) -> None:
    """One table and one document of a person."""
    names = ("./patients_2021.csv", "./PLANTE_Odilon_1951.pdf")
    links = "".join(f"<tr><td><a href='{name}'>{name}</a></td></tr>" for name in names)
    site(machine, 7003, {"/": titled("Contenu du dossier", f"<table>{links}</table>")})


@PART.machine({8081: ()}, needs="nginx")
def nginx_listing_of_programs(machine: Machine) -> None:
    for name in ("setup-1.2.zip", "style.css", "notes.html", "logo.png"):
        machine.write(f"web/{name}", "x")
    root = f"root {machine.folder}/web; autoindex on;"
    nginx(machine, f"listen {machine.host}:8081; {root}", port=8081)


@PART.machine({443: ("X24",)}, needs="nginx")
def nginx_old_tls(machine: Machine) -> None:
    cert, key = keys(machine)
    tls = f"ssl_certificate {cert}; ssl_certificate_key {key}; {OLD.format('TLSv1 TLSv1.1')}"
    nginx(machine, f"listen {machine.host}:443 ssl; {tls}", port=443)


@PART.machine({8443: ("X24",)}, needs="nginx")
def nginx_expired(machine: Machine) -> None:
    tls = encrypted(*keys(machine, days=-3))
    nginx(machine, f"listen {machine.host}:8443 ssl; {tls}", port=8443)


@PART.machine({9443: ("X24",)}, needs="nginx")
def nginx_short_key(machine: Machine) -> None:
    tls = encrypted(*keys(machine, bits=1024)) + "ssl_ciphers ALL:@SECLEVEL=0;"
    nginx(machine, f"listen {machine.host}:9443 ssl; {tls}", port=9443)


@PART.machine({443: (), 8042: ()}, needs=("nginx", "orthanc"), everywhere=True)
def nginx_before_orthanc(machine: Machine) -> None:
    """Well done: Orthanc hears this machine only, nginx asks everybody for an account."""
    orthanc(machine, web=8042, RemoteAccessAllowed=False, Plugins=[DICOMWEB])
    machine.write("accounts", "alice:{PLAIN}Tilleul-Phare-47\n")
    asked = f'auth_basic "Images"; auth_basic_user_file {machine.folder}/accounts;'
    onward = f"location / {{ {asked} proxy_pass http://127.0.0.1:8042; }}"
    nginx(machine, f"listen {machine.host}:443 ssl; {encrypted(*keys(machine))} {onward}", port=443)


@PART.machine({443: ("X08", "X10", "X12"), 80: ()}, needs=("nginx", "orthanc"), everywhere=True)
def nginx_named_orthanc(machine: Machine) -> None:
    """TLS in front of everything, for a name; below a path; nothing for who asks the address."""
    alone = {"RemoteAccessAllowed": False, "AuthenticationEnabled": False}
    orthanc(machine, web=8042, Plugins=[DICOMWEB], **alone)
    tls = encrypted(*keys(machine, "pacs.cabinet.example"))
    onward = "location /orthanc/ { proxy_pass http://127.0.0.1:8042/; }"
    nginx(
        machine,
        f"listen {machine.host}:80 default_server; return 301 https://$host$request_uri;",
        f"listen {machine.host}:443 ssl default_server; {tls} return 404;",
        f"listen {machine.host}:443 ssl; server_name pacs.cabinet.example; {tls} {onward}",
        port=443,
    )


@PART.machine(
    {8080: ("X08", "X12"), 8088: ("X08", "X12")}, needs=("nginx", "orthanc"), everywhere=True
)
def nginx_orthanc_at_another_path(machine: Machine) -> None:
    """Where nobody would look: the first page redirects there, or links to it."""
    orthanc(machine, web=8042, RemoteAccessAllowed=False, AuthenticationEnabled=False)
    link = '<a href="/imagerie/echo/app/explorer.html">Images</a>'
    machine.write("web/index.html", PLAIN.replace("Bienvenue", link))
    onward = "proxy_pass http://127.0.0.1:8042/;"
    moved = "location = / { return 302 /ui/salle/app/explorer.html; }"
    nothing = "location / { return 404; }"
    nginx(
        machine,
        f"listen {machine.host}:8080; {moved} location /ui/salle/ {{ {onward} }} {nothing}",
        f"listen {machine.host}:8088; root {machine.folder}/web; "
        f"location /imagerie/echo/ {{ {onward} }}",
        port=8080,
    )


@PART.machine({443: ("X08",)}, needs="nginx", counts={"X08": 9})
def nginx_that_hangs_up_on_its_address(machine: Machine) -> None:
    """As scanners are kept away: who calls it by its certificate's name is answered."""
    tls = encrypted(*keys(machine, "images.cabinet.example"))
    system, count = json.dumps(ORTHANC), json.dumps({"CountPatients": 9})
    onward = f"location = /system {{ return 200 '{system}'; }}"
    onward += f"location = /statistics {{ return 200 '{count}'; }} location / {{ return 404; }}"
    nginx(
        machine,
        f"listen {machine.host}:443 ssl default_server; {tls} return 444;",
        f"listen {machine.host}:443 ssl; server_name images.cabinet.example; {tls} {onward}",
        port=443,
    )


@PART.machine({7001: ("X17",)}, counts={"X17": 3})
def extracts_on_a_page_of_its_own(machine: Machine) -> None:
    """No server's index: a page that somebody made, in a folder that the first one leads to."""
    links = "".join(f"<li><a href='{name}'>{name}</a>" for name in ("a.dcm", "b.dcm", "c.csv"))
    pages = {
        "/": titled("Cabinet", "<a href='/exports2019/'>exports</a>"),
        "/exports2019/": titled("Exports", f"<ul>{links}</ul>"),
    }
    site(machine, 7001, pages)


@PART.machine({7080: ()})
def downloads_for_everybody(machine: Machine) -> None:
    links = "".join(f"<a href='{name}'>x</a>" for name in ("tarifs.pdf", "plan.png", "style.css"))
    site(machine, 7080, {"/": titled("Cabinet", links)})


# Image servers, viewers, records: stand-ins


@PART.machine({8181: ("X08",)}, counts={"X08": 50})
def orthanc_behind_redirects(machine: Machine) -> None:
    pages = {
        "/": page("", 302, Location="/ui/"),
        "/ui/": page("", 307, Location="app/"),
        "/ui/app/": titled("Orthanc Explorer 2"),
        "/system": page(ORTHANC),
        "/statistics": page({"CountPatients": 73}),
    }
    site(machine, 8181, pages)


@PART.machine({8042: ()})
def orthanc_with_accounts(machine: Machine) -> None:
    site(machine, 8042, {"*": page("Unauthorized", 401, **REALM)})


@PART.machine({3000: ("X11", "X10")})
def ohif_with_its_archive(machine: Machine) -> None:
    pages = {
        "/": titled("OHIF Viewer"),
        "/app-config.js": page("window.config = { routerBasename: '/', dataSources: [] }"),
        "/dicom-web/studies": {"body": [STUDY], "headers": DICOM_JSON},
    }
    site(machine, 3000, pages)


@PART.machine({40080: ("X11",)})
def viewer_without_a_title(machine: Machine) -> None:
    """A page that is only a program, on a port of no protocol, slow to answer."""
    shell = '<html><head><script src="/app-config.js"></script></head><div id="root"></div></html>'
    pages = {"*": page(shell), "/app-config.js": page("window.config = {whiteLabeling: {}, extensions: [], modes: [], dataSources: [{namespace: '@ohif/extension-default.dataSourcesModule.dicomweb'}]}")}  # fmt: skip
    site(machine, 40080, pages, delay=0.5)


@PART.machine({8443: ()})
def viewer_with_accounts(machine: Machine) -> None:
    shown = titled("MedDream DICOM Viewer", LOGIN)
    site(machine, 8443, {"*": shown}, **secured(machine))


@PART.machine({8082: ("X11", "X22")})
def weasis(machine: Machine) -> None:
    pages = {
        "/": titled("Apache Tomcat/9"),
        "/weasis-pacs-connector/": titled("Weasis PACS connector"),
    }
    site(machine, 8082, pages)


@PART.machine({8083: ("X11",)})
def viewer_below_a_path(machine: Machine) -> None:
    pages = {
        "/": titled("Portail", "<a href='images/visionneuse.html'>Images</a>"),
        "/images/visionneuse.html": titled("Visionneuse d'images - Cabinet"),
    }
    site(machine, 8083, pages)


@PART.machine({9090: ("X20",)}, counts={"X20": 12})
def fhir_open(machine: Machine) -> None:
    site(machine, 9090, {"/fhir/Patient": page(BUNDLE), "/": titled("HAPI FHIR")}, delay=0.6)


@PART.machine({8088: ("X20",)}, counts={"X20": 1})
def fhir_without_a_count(machine: Machine) -> None:
    """It does not know `_summary=count`, and sends the records themselves."""
    bundle = {"resourceType": "Bundle", "entry": [{"resource": PATIENT}]}
    pages = {"/api/FHIR/R4/Patient": page(bundle), "*": page("", 404)}
    site(machine, 8088, pages)


@PART.machine({9091: ()})
def fhir_closed(machine: Machine) -> None:
    refused = page({"resourceType": "OperationOutcome"}, 401)
    pages = {"/fhir/metadata": page({"resourceType": "CapabilityStatement"}), "*": refused}
    site(machine, 9091, pages, **secured(machine))


@PART.machine({8008: ("X10",)}, counts={"X10": 1})
def dicomweb_below_its_name(machine: Machine) -> None:
    pages = {
        "/": titled("Archive", '<a href="/archive/dicomweb/">DICOMweb</a>'),
        "/archive/dicomweb/studies": {"body": [STUDY], "headers": DICOM_JSON},
    }
    site(machine, 8008, pages)


@PART.machine({8009: ()})
def application_that_answers_everything(machine: Machine) -> None:
    site(machine, 8009, {"*": titled("Agenda", '<div id="root"></div>')})


@PART.machine({8010: ()})
def page_that_speaks_of_products(machine: Machine) -> None:
    text = (
        "<h1>Notre cabinet</h1><p>Vos images se lisent avec Weasis, RadiAnt ou le visionneur OHIF "
        "Viewer; nous utilisons dcm4chee, un NAS Synology et une imprimante Kyocera.</p>"
        '<p><a href="https://www.orthanc-server.com/">Orthanc</a>, '
        '<a href="https://meddream.com">MedDream</a></p>' + "<p>Bienvenue au cabinet.</p>" * 40
    )
    site(machine, 8010, {"/": titled("Cabinet de radiologie", text)})


# Consoles


@PART.machine({5000: ("X25",)})
def nas_in_clear(machine: Machine) -> None:
    site(machine, 5000, {"/": titled("DiskStation - Synology DSM 7.2", LOGIN)})


@PART.machine({8180: ("X25",)})
def nas_behind_a_script(machine: Machine) -> None:
    """As QNAP does: the first page only leads to another."""
    pages = {
        "/": page("<html><script>location.href='/cgi-bin/'</script></html>"),
        "/cgi-bin/": titled("QNAP Turbo NAS", LOGIN),
    }
    site(machine, 8180, pages)


@PART.machine({5000: (), 5001: ()})
def nas_in_tls(machine: Machine) -> None:
    onward = page("", 302, Location=f"https://{machine.host}:5001/webman/index.cgi")
    site(machine, 5000, {"*": onward})
    site(machine, 5001, {"*": titled("Synology DSM", LOGIN)}, **secured(machine))


@PART.machine({80: (), 631: ()})
def printer(machine: Machine) -> None:
    shown = titled("HP LaserJet MFP M428fdw")
    site(machine, 80, {"/": shown})
    site(machine, 631, {"/": shown})


# The Internet box


@PART.machine({5555: ("X22",)})
def box(machine: Machine) -> None:
    inside = machine.host.rpartition(".")[0]
    listing, viewer = (
        list(PART.machines).index(each.__name__) + 10 for each in (nginx_listing, weasis)
    )
    mappings = [
        [80, f"{inside}.{listing}", 8080, "TCP"],
        [33333, f"{inside}.{viewer}", 8082, "TCP"],
        [6000, f"{inside}.250", 3074, "UDP"],
    ]
    machine.python(5555, BOX, machine.host, 5555, json.dumps(mappings))


@PART.machine({8444: ("X22",)})
def box_that_says_nothing_of_itself(machine: Machine) -> None:
    """Its description at a usual path, on a port of no kind, nothing about UPnP in its header."""
    inside = machine.host.rpartition(".")[0] + ".250"
    machine.python(8444, BOX, machine.host, 8444, json.dumps([[104, inside, 104, "TCP"]]), "quiet")


@pytest.fixture(scope="module")
def seen(lan: Lan) -> Iterator[Seen]:
    with lan.audited(PART) as found:
        yield found


@pytest.mark.parametrize("name", PART.machines)
def test_a_machine_is_told_as_what_it_is(seen: Seen, name: str) -> None:
    seen.check(name)


def test_the_boxs_forwardings_are_joined_to_what_they_expose(seen: Seen) -> None:
    said = seen.finding("box", 5555, "X22")
    assert said["severity"] == "critical"
    assert all(port in said["evidence"] for port in ("80/TCP", "33333/TCP", "6000/UDP"))
    assert "port 33333" in seen.finding("weasis", 8082, "X22")["evidence"]


def test_sessions_that_protect_nothing_are_grave(seen: Seen) -> None:
    found = seen.finding("nginx_that_protects_nothing", 443, "X24")
    assert found["severity"] == "high"
    assert "NULL" in found["evidence"] or "anonymous" in found["evidence"]


def test_memory_stays_bounded(seen: Seen) -> None:
    assert seen.peak_kib < 150 * 1024
