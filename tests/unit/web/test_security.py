"""Headers, hosts, foreign requests, cookies: what every answer and every request must have."""

from __future__ import annotations

import json
import logging
import re

import pytest
from demo_records import studies
from web_client import Client

from serment.bootstrap.logs import gather, logger
from serment.entrypoints.web.security import CSP, host_name

PAGES = ("/", "/studies", "/patients", "/to-file", "/journal", "/members", "/settings")


@pytest.mark.parametrize("path", [*PAGES, "/login", "/nothing", "/pulse"])
def test_every_answer_has_the_strict_headers(doctor: Client, path: str) -> None:
    answer = doctor.get(path)
    assert answer.header("content-security-policy") == CSP
    assert "unsafe" not in CSP and "http" not in CSP
    assert CSP.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert answer.header("cache-control") == "no-store"
    assert answer.header("referrer-policy") == "no-referrer"
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("cross-origin-opener-policy") == "same-origin"
    assert answer.header("cross-origin-resource-policy") == "same-origin"
    assert "camera=()" in answer.header("permissions-policy")


@pytest.mark.parametrize("path", [*PAGES, f"/studies/{studies()[0].ref}"])
def test_pages_hold_no_inline_script_no_inline_style_and_no_foreign_address(
    doctor: Client, path: str
) -> None:
    html = doctor.get(path).text
    assert re.findall(r"<script(?![^>]*\b(?:src=|type=\"application/json\"))", html) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", html) == []
    assert re.findall(r"(?:src|href|action|hx-[a-z]+)=\"(?:https?:)?//", html) == []


def test_the_session_cookie_is_bound_to_this_host(client: Client) -> None:
    cookie = client.sign_in().header("set-cookie")
    assert cookie.startswith("__Host-serment=")
    for attribute in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert attribute in cookie
    assert "Domain" not in cookie and "Max-Age" not in cookie and "expires" not in cookie


@pytest.mark.parametrize(
    ("own", "status"),
    [
        ({}, 303),
        ({"origin": "null"}, 303),  # what browsers send with no-referrer; Sec-Fetch-Site decides
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"sec_fetch_site": "none"}, 403),
        ({"sec_fetch_site": None}, 403),
        ({"sec_fetch_site": None, "origin": "https://127.0.0.1:8443"}, 303),
        ({"sec_fetch_site": None, "origin": "http://127.0.0.1:8443"}, 403),
        ({"sec_fetch_site": None, "origin": "https://127.0.0.1:9999"}, 403),
        ({"sec_fetch_site": None, "origin": "null"}, 403),
        ({"sec_fetch_site": None, "origin": "https://evil.example"}, 403),
        ({"sec_fetch_site": None, "authorization": "Bearer x"}, 403),  # the cookie is there
    ],
)
def test_only_our_own_pages_may_change_something(
    doctor: Client, own: dict[str, str | None], status: int
) -> None:
    before = dict(doctor.practice.open)
    assert doctor.post("/lock", **own).status == status
    assert (doctor.practice.open == before) is (status == 403)


def test_a_token_without_cookie_cannot_be_forged_by_a_site(client: Client) -> None:
    answer = client.post("/dicom-web/studies", sec_fetch_site=None, authorization="Bearer x")
    assert answer.status == 404  # let through to the routes: there is none of that name here


@pytest.mark.parametrize(
    ("own", "status"),
    [
        ({"sec_fetch_site": "cross-site"}, 200),  # a link followed from elsewhere
        ({"sec_fetch_site": "none"}, 200),
        ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"}, 403),
        ({"sec_fetch_site": "same-site", "sec_fetch_mode": "cors"}, 403),
        ({"sec_fetch_site": None, "sec_fetch_mode": None}, 200),
    ],
)
def test_other_sites_may_link_here_but_not_load_from_here(
    client: Client, own: dict[str, str | None], status: int
) -> None:
    assert client.get("/login", **own).status == status


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8443", "", "[::2]:8443"])
def test_a_rebound_name_is_refused(client: Client, host: str) -> None:
    answer = client.get("/login", host=host)
    assert answer.status == 421
    assert answer.header("content-security-policy") == CSP


def test_host_names_are_compared_without_port() -> None:
    assert [host_name(h) for h in ("A.Local:8443", "a.local", "[::1]:8443", "[::1]")] == [
        "a.local",
        "a.local",
        "[::1]",
        "[::1]",
    ]


def test_addresses_of_pages_hold_random_ids_only(doctor: Client) -> None:
    known = {study.planned.study.patient.patient_id for study in studies()}
    known |= {study.planned.study.uid for study in studies()}
    for path in (*PAGES, f"/patients/{studies()[0].patient}", f"/studies/{studies()[0].ref}"):
        html = doctor.get(path).text
        addresses = re.findall(r"(?:href|src|action|hx-post|data-upload)=\"([^\"]*)\"", html)
        assert addresses
        for address in addresses:
            assert not any(value in address for value in known)
            assert re.fullmatch(r"[/#a-z0-9.-]*", address), address


def test_titles_never_name_a_patient(doctor: Client) -> None:
    """A browser keeps titles in its history, on its disk."""
    titles = [
        re.search("<title>(.*?)</title>", doctor.get(path).text)[1]
        for path in (f"/patients/{studies()[0].patient}", f"/studies/{studies()[0].ref}")
    ]
    assert titles == ["Patient file · Serment", "Viewer · Serment"]


def test_forms_about_patients_are_not_remembered_by_the_browser(doctor: Client) -> None:
    for path in ("/studies", "/patients", "/journal"):
        assert re.search(r'id="filters"[^>]*autocomplete="off"', doctor.get(path).text)
    assert '<html lang="en" translate="no">' in doctor.get("/studies").text


def test_a_form_too_long_is_refused_before_it_is_kept(doctor: Client) -> None:
    answer = doctor.post("/patients", {"text": "x" * 70_000})
    assert answer.status == 400
    assert "too long" in answer.text
    assert doctor.post("/patients", [("a", str(n)) for n in range(200)]).status == 400
    assert doctor.send("POST", "/patients", b"\xff=%ff\xfe", {}).status == 400


def test_a_fault_shows_a_number_and_logs_no_value(
    doctor: Client, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(session: str) -> object:
        raise ValueError("LEFÈVRE Hélène")

    doctor.practice.home = broken
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    gather(logger("web"))  # as the product writes it
    answer = doctor.get("/")
    assert answer.status == 500
    number = re.search(r"number ([0-9a-f]{8})", answer.text)[1]
    out, said = capsys.readouterr()
    line = json.loads(said)
    assert (line["number"], line["type"]) == (number, "ValueError")
    assert out == ""
    assert "LEFÈVRE" not in said + answer.text
    assert "Traceback" not in said
