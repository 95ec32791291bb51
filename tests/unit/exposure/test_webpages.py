"""Pages are told by their products' marks, and any text a stranger sends is survived."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.core.exposure.webpages import (
    asks_password,
    called,
    is_listing,
    led_to,
    listed_names,
    moves_on,
    recognise,
    title,
)


@pytest.mark.parametrize(
    ("headers", "page", "application"),
    [
        ({"www-authenticate": 'Basic realm="Orthanc Secure Area"'}, "", "orthanc"),
        ({}, "<html><title>Orthanc Explorer</title>", "orthanc"),
        ({}, "<title>dcm4chee-arc UI</title>", "dcm4chee"),
        ({}, "<title>OHIF Viewer</title>", "ohif"),
        ({"set-cookie": "weasis=1"}, "", "weasis"),
        ({}, '<script src="/weasis/app.js"></script>', "weasis"),
        ({}, "<script>window.config = {qidoRoot: '/rs'}</script>", "viewer"),
        ({}, "Weasis", "weasis"),
        ({"location": "/weasis-pacs-connector"}, "", ""),  # it speaks of another place
        ({}, "<p>Vos images se lisent avec Weasis." + "<p>Bienvenue au cabinet." * 40, ""),
        ({}, "<a href='https://weasis.org'>Weasis</a>", ""),
        ({}, "<title>MedDream DICOM Viewer</title>", "meddream"),
        ({}, "<title>DiskStation&nbsp;-&nbsp;Synology DiskStation</title>", "nas"),
        ({"server": "KM-MFP-http/V0.0.1"}, "", "printer"),
        ({}, "<title>Freebox Server</title>", "box"),
        ({"server": "nginx"}, "<title>Welcome to nginx!</title>", ""),
        ({"server": "Apache"}, "<h1>Cabinet médical</h1>Prenez rendez-vous", ""),
        ({"x-forgotten": "orthanc explorer"}, "", ""),
    ],
)
def test_products(headers: dict[str, str], page: str, application: str) -> None:
    assert recognise(headers, page).application == application


@pytest.mark.parametrize(
    "page",
    [
        "<html><head><title>Index of /backup</title>",
        "<title>Directory listing for /</title>",
        "<h1>Index of /</h1>",
        "<pre><A HREF='/'>[To Parent Directory]</A>",
    ],
)
def test_indexes_of_servers(page: str) -> None:
    assert is_listing(page)


@pytest.mark.parametrize(
    "page",
    [
        '[\n{ "name":"a \\"b\\".csv", "type":"file", "mtime":"Sun, 22 Nov 2026 09:00:00 GMT", "size":5 },\n'
        '{ "name":"vieux", "type":"directory", "mtime":"Sun, 22 Nov 2026 09:00:00 GMT" }\n]',
        '<?xml version="1.0"?>\n<list>\n<file mtime="2026-11-22T09:00:00Z" size="5">a &quot;b&quot;.csv</file>\n'
        '<directory mtime="2026-11-22T09:00:00Z">vieux</directory>\n</list>',
    ],
    ids=["json", "xml"],
)
def test_indexes_for_programs(page: str) -> None:
    assert is_listing(page)
    assert listed_names(page) == ['a "b".csv', "vieux/"]


@pytest.mark.parametrize("page", ['[{"name": "x", "kind": 1}]', "<list><item>a.csv</item></list>"])
def test_data_is_no_index(page: str) -> None:
    assert not is_listing(page)


def test_a_page_about_an_index_is_none() -> None:
    assert not is_listing("<title>Cabinet</title>see the index of our pages")


def test_names_in_an_index() -> None:
    page = (
        '<a href="?C=N;O=D">Name</a><a href="../">up</a><a href="a%20b.csv">a</a>'
        "<A HREF=c.dcm>c</A><a class='x' href='/d/e.sql?x=1#y'>e</a><a href='sub/'>s</a>"
    )
    assert listed_names(page) == ["a b.csv", "c.dcm", "/d/e.sql", "sub/"]
    assert listed_names("<a href='./x.csv'>x</a><a href='./'>here</a>") == ["x.csv"]


@pytest.mark.parametrize(
    ("application", "product", "name"),
    [
        ("nas", "QNAP QTS", "QNAP QTS"),
        ("nas", "nginx", "NAS"),
        ("orthanc", "nginx", "Orthanc"),
        ("fhir", "HAPI FHIR", "HAPI FHIR"),
        ("fhir", "Apache", "FHIR"),
        ("viewer", "nginx", ""),
    ],
)
def test_what_an_application_is_called(application: str, product: str, name: str) -> None:
    assert called(application, product) == name


@pytest.mark.parametrize(
    ("page", "onward"),
    [
        ('<meta http-equiv="refresh" content="0; url=/ui/">', "/ui/"),
        ("<script>window.location.href = '/cgi-bin/';</script>", "/cgi-bin/"),
        ('<script>location.replace("app/index.html")</script>', "app/index.html"),
        ("<script>if (location == here) show()</script>", ""),
        ("<script>location='/a'</script>" + "<p>" * 5000, ""),  # too long to be only a way
    ],
)
def test_a_page_that_only_leads_to_another(page: str, onward: str) -> None:
    assert moves_on(page) == onward


def test_places_that_a_page_leads_to() -> None:
    page = (
        "<a href='/archive/dicomweb/'>a</a><a href=dicom/rs>b</a><script src='./app.js'></script>"
        "qidoRoot: 'https://pacs.example/dicom-web?x', '//elsewhere/dicom', href=\"../dicom\""
    )
    found = led_to(page, re.compile("dicom"))
    assert found == ["/archive/dicomweb/", "/dicom/rs", "/dicom-web"]


def test_a_password_is_asked() -> None:
    assert asks_password("<input name=p TYPE='password'>")
    assert not asks_password("<input name=password type=text>")
    assert title("<TITLE lang=fr> L&eacute;a </TITLE>") == "Léa"


@given(st.text(max_size=400))
def test_any_page_is_read(page: str) -> None:
    recognise({"server": page}, page)
    is_listing(page)
    moves_on(page)
    led_to(page, re.compile("a"))
    title(page)
    assert all(listed_names(f"<a href='{page}'>"))


ALL = """
import re, sys
from serment.core.exposure import webpages
page = sys.stdin.read()
webpages.recognise({"server": page[:8000]}, page)
webpages.moves_on(page[:8000])
webpages.led_to(page, re.compile("a"))
webpages.is_listing(page)
webpages.title(page)
webpages.asks_password(page)
webpages.listed_names(page)
"""
ENDLESS = 60  # seconds, of which a page needs one or two


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        *(("", each) for each in ("<a ", "<title ", "<input ", "<a href='", "<D:href>", "href='x")),
        *(("", each) for each in ("'/x", "<script>location", "<title>pacs ", "remote ui ")),
        ("<script>", "remote ui "),
        ("<title>", "dicom "),
        ("<title>", "remote ui pacs dwv-"),
        ("<title>", " "),
        ("<D:href>", " "),
        ("<D:href>a", " "),
        ("<a " * 150 + "href", " "),
        ("<input" * 80 + "type", " "),
        ("http-equiv", " "),
        ("location", " "),
    ],
)
def test_no_page_takes_for_ever(begin: str, piece: str) -> None:
    """Patterns that look back would take minutes or more, and an expression cannot be stopped."""
    page = (begin + piece * 260_000)[: 256 * 1024]
    done = subprocess.run(
        [sys.executable, "-c", ALL], input=page.encode(), timeout=ENDLESS, check=False
    )
    assert done.returncode == 0
