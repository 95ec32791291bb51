"""Signing in, locking, what counts as a person's act."""

from __future__ import annotations

from datetime import timedelta

import pytest
from demo_people import CODE, PASSWORD
from demo_records import studies
from web_client import Client

from serment.entrypoints.web.doors import next_page


def test_signing_in_opens_a_session_and_goes_where_one_wanted_to_go(client: Client) -> None:
    fields = {"login": "a.perichon", "password": PASSWORD, "code": "123 456", "next": "/journal"}
    answer = client.post("/login", fields)
    assert (answer.status, answer.header("location")) == (303, "/journal")
    assert "a.perichon" in client.get("/").text
    peer = client.practice.peers[-1]
    assert (peer.address, peer.local, peer.tls) == ("192.168.1.31:50123", "127.0.0.1:8443", True)


@pytest.mark.parametrize(
    "wrong",
    [{"login": "nobody"}, {"password": "x"}, {"code": ""}, {"code": "000000"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_every_wrong_part_gets_the_same_answer(client: Client, wrong: dict[str, str]) -> None:
    fields = {"login": "a.perichon", "password": PASSWORD, "code": CODE, **wrong}
    answer = client.post("/login", fields)
    assert answer.status == 403
    assert "The login or the password is not right." in answer.text
    assert "three failures" in answer.text  # the next step
    assert PASSWORD not in answer.text
    assert not answer.all("set-cookie") and not client.practice.open


def test_after_too_many_attempts_one_waits(client: Client) -> None:
    for _ in range(3):
        client.post("/login", {"login": "x", "password": "y"})
    answer = client.post("/login", {"login": "a.perichon", "password": PASSWORD, "code": CODE})
    assert answer.status == 429
    assert "wait a minute" in answer.text.lower()


def test_signing_in_again_closes_the_session_before(doctor: Client) -> None:
    first = set(doctor.practice.open)
    doctor.sign_in()
    assert len(doctor.practice.open) == 1 and set(doctor.practice.open) != first


def test_locking_drops_the_session_and_the_cookie(doctor: Client) -> None:
    answer = doctor.post("/lock")
    assert answer.header("location") == "/login?locked=1"
    assert not doctor.practice.open and "__Host-serment" not in doctor.cookies
    assert "Your keys have left the memory" in doctor.get("/login?locked=1").text
    assert doctor.post("/lock").status == 303  # harmless when it is gone


def test_one_member_can_lock_everything(doctor: Client) -> None:
    other = Client(practice=doctor.practice)
    other.sign_in("m.laurent")
    doctor.post("/lock-all")
    assert not doctor.practice.open
    assert other.get("/").header("location") == "/login"


@pytest.mark.parametrize(
    ("path", "goal"),
    [("/", "/login"), ("/patients/" + "a" * 32, "/login?next=/patients/" + "a" * 32)],
)
def test_without_a_session_a_person_is_shown_the_door(client: Client, path: str, goal: str) -> None:
    answer = client.get(path)
    assert (answer.status, answer.header("location")) == (303, goal)


@pytest.mark.parametrize(
    "path", ["/pulse", "/thumbnails/" + "a" * 32, "/frames/" + "a" * 32 + "/1"]
)
def test_without_a_session_a_script_gets_a_bare_status(client: Client, path: str) -> None:
    assert client.script(path).status == 401
    client.cookies["__Host-serment"] = "f" * 64
    assert client.script(path).status == 401


def test_a_part_of_a_page_leads_to_the_door(client: Client) -> None:
    answer = client.post("/studies", {"name": "x"}, hx_request="true", sec_fetch_mode="cors")
    assert (answer.status, answer.header("hx-redirect")) == (401, "/login")


@pytest.mark.parametrize(
    "untrusted",
    [
        "//evil.example",
        "//evil",
        "//evil/path",
        "https://evil.example",
        "/\\evil",
        "javascript:x",
        "/a?b",
        "",
        "/%2f",
        "/A",
    ],
)
def test_one_never_goes_on_to_another_site(untrusted: str) -> None:
    assert next_page(untrusted) == "/"


def test_pages_of_ours_are_gone_on_to() -> None:
    for path in ("/", "/to-file", f"/studies/{studies()[0].ref}"):
        assert next_page(path) == path


LIVE = {"x_serment_live": "1"}


@pytest.mark.parametrize(
    ("ask", "active"),
    [
        (lambda c: c.get("/"), True),
        (lambda c: c.post("/active", sec_fetch_mode="cors"), True),
        (lambda c: c.post("/studies", {"name": "x"}, sec_fetch_mode="cors"), True),
        (lambda c: c.script("/pulse", x_serment_active="1"), True),
        (lambda c: c.script("/pulse"), False),
        (lambda c: c.script(f"/thumbnails/{studies()[0].objects[0].id}"), False),
        (lambda c: c.script("/pulse", x_serment_active="1", **LIVE), False),
        (lambda c: c.post("/studies", {}, hx_request="true", sec_fetch_mode="cors", **LIVE), False),
    ],
)
def test_only_what_a_person_did_puts_off_the_idle_lock(
    doctor: Client, ask: object, active: bool
) -> None:
    doctor.practice.now += timedelta(minutes=20)
    assert ask(doctor).status in (200, 204)
    doctor.practice.now += timedelta(minutes=11)
    assert (doctor.script("/pulse").status == 200) is active


def test_the_pulse_tells_what_a_page_shows_by_itself(doctor: Client) -> None:
    doctor.practice.receiving = 42
    doctor.practice.now += timedelta(minutes=5)
    assert doctor.script("/pulse").json() == {
        "version": 1,
        "to_file": 2,
        "receiving": 42,
        "left": 25 * 60,
    }


def test_the_language_is_french_unless_one_asks(client: Client) -> None:
    client.lang = ""
    assert '<html lang="fr"' in client.get("/login").text
    client.lang = "de,en;q=0.5"
    assert '<html lang="en"' in client.get("/login").text
    answer = client.post("/language", {"language": "fr", "next": "/studies"})
    assert answer.header("location") == "/studies"
    assert '<html lang="fr"' in client.get("/login").text
    client.post("/language", {"language": "tlh"})
    assert client.cookies["__Host-serment-language"] == "fr"
