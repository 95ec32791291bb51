"""Whatever names a patient, lets an object out or is refused leaves an entry, however it is asked."""

from __future__ import annotations

import asyncio
import json

import pytest
from tests.practices import PASSWORD, patient, report, study
from tests.unit.web_practice.pages import Pages

from serment.core.journal.entries import Entry, EventKind
from serment.core.journal.log import entry_of
from serment.core.records.vault import Envelope, Member
from serment.entrypoints.desk.request import Request
from serment.entrypoints.desk.table import answer
from serment.entrypoints.dicomweb.app import dicomweb_routes
from serment.entrypoints.local.server import local_app
from serment.entrypoints.web.views import JournalQuery
from serment.errors import AccessDenied


def entries(pages: Pages, kind: EventKind) -> list[Entry]:
    found = [entry_of(row) for row in pages.world.house.store.journal(0)]
    return [entry for entry in found if entry is not None and entry.kind is kind]


def member(pages: Pages, login: str) -> str:
    (row,) = pages.world.house.store.find(Member, login=login)
    return row.id


def asked(command: str, login: str, **options: object) -> Request:
    return Request(command, options, login, PASSWORD)


def arrival(pages: Pages) -> tuple[str, str]:
    """A report that waits to be filed; its SOP Instance UID and envelope."""
    pages.world.receive([report(study(patient()))])
    with pages.world.signed_in("docteur"):
        pass
    (receipt,) = pages.world.receive([report(study(patient(birth_date="19570402"), 2))])
    (envelope,) = pages.world.house.store.find(Envelope, patient=None)
    return receipt.sop_instance, envelope.id


def test_the_names_of_those_who_wait_are_journalled(pages: Pages) -> None:
    _, envelope = arrival(pages)
    answer(pages.desk, asked("waiting", "secretaire"))
    (entry,) = entries(pages, EventKind.SEARCHED)
    assert entry.actor == member(pages, "secretaire")
    assert (entry.details["level"], entry.details["envelopes"]) == ("patient", [envelope])


def named(pages: Pages) -> list[Entry]:
    """Lists of names that were shown."""
    return [e for e in entries(pages, EventKind.SEARCHED) if e.details["level"] == "patient"]


def test_the_names_on_a_page_of_the_journal_are_journalled_once(pages: Pages) -> None:
    pages.world.receive([report(study(patient()))])
    doctor, admin = pages.sign_in("docteur"), pages.sign_in("admin")
    (envelope,) = pages.world.house.store.find(Envelope)
    pages.web.patient(doctor, envelope.patient)
    for _ in range(2):
        pages.web.journal(admin, JournalQuery())  # no key: no name
    assert not named(pages)
    for _ in range(2):
        pages.web.journal(doctor, JournalQuery())
    (entry,) = named(pages)
    assert entry.actor == member(pages, "docteur")
    assert entry.details["envelopes"] == [envelope.id]


def test_an_object_taken_out_is_journalled_and_its_session_ends(pages: Pages) -> None:
    uid, envelope = arrival(pages)
    whole = b"".join(answer(pages.desk, asked("fetch", "docteur", uid=uid)))
    assert whole[128:132] == b"DICM"
    (entry,) = entries(pages, EventKind.EXPORTED)
    assert (entry.details["what"], entry.details["count"]) == ("object", 1)
    assert entry.details["envelope"] == envelope
    assert {"peer": "local", "local": "local", "tls": False}.items() <= entry.details.items()
    assert pages.world.practice.locked()


def test_the_session_ends_also_when_nobody_takes_the_first_byte(pages: Pages) -> None:
    uid, _ = arrival(pages)
    body = {"command": "fetch", "options": {"uid": uid}, "login": "docteur"}
    sent = json.dumps({**body, "password": PASSWORD.reveal()}).encode()

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": sent, "more_body": False}

    async def send(message: dict[str, object]) -> None:
        raise OSError("the client is gone")

    scope = {"type": "http", "method": "POST", "path": "/run", "headers": [], "query_string": b""}
    scope |= {"asgi": {"version": "3.0", "spec_version": "2.4"}}
    with pytest.raises(Exception):  # noqa: B017 - what the server does with it is its own
        asyncio.run(local_app(pages.desk)(scope, receive, send))
    assert entries(pages, EventKind.EXPORTED)
    assert pages.world.practice.locked()


def test_the_journal_taken_out_says_so_itself(pages: Pages) -> None:
    """By whoever is at this machine: a login without its password would prove nobody."""
    lines = list(answer(pages.desk, Request("journal export", {}, "admin")))
    (entry,) = entries(pages, EventKind.EXPORTED)
    assert (entry.actor, entry.details["what"]) == ("local", "journal")
    assert {"peer": "local", "local": "local", "tls": False}.items() <= entry.details.items()
    assert any(b"exported" in line for line in lines)


def test_what_the_desk_refuses_is_journalled(pages: Pages) -> None:
    uid, _ = arrival(pages)
    for command in ("fetch", "fetch"):
        with pytest.raises(AccessDenied, match="cannot open images"):
            answer(pages.desk, asked(command, "secretaire", uid=uid))
    with pytest.raises(AccessDenied):
        answer(pages.desk, asked("waiting", "nobody"))  # wrong login
    pages.web.flush(final=True)
    (entry,) = entries(pages, EventKind.REFUSED)
    assert (entry.actor, entry.details["count"]) == (member(pages, "secretaire"), 2)
    assert entry.details["calling"] == "secretaire"
    assert uid not in str(entry.details)


async def dicomweb(pages: Pages, path: str, token: str, host: str = "127.0.0.1") -> int:
    (mounted,) = dicomweb_routes(pages.desk, pages.decoder, None)
    said: list[int] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        said.append(int(message.get("status", 0)))

    headers = [(b"authorization", f"Bearer {token}".encode())]
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers}
    scope |= {"query_string": b"", "root_path": "", "scheme": "https", "client": (host, 5)}
    await mounted.app(scope, receive, send)
    return said[0]


def bearer(pages: Pages, login: str) -> str:
    practice = pages.world.practice
    return practice.bear(practice.session(pages.sign_in(login)))


def test_what_dicomweb_refuses_is_journalled(pages: Pages) -> None:
    token = bearer(pages, "secretaire")
    assert asyncio.run(dicomweb(pages, "/studies/1.2.3", token)) == 403
    assert asyncio.run(dicomweb(pages, "/studies", "nothing", "192.0.2.7")) == 401
    pages.web.flush(final=True)
    by = {entry.actor: entry.details["peer"] for entry in entries(pages, EventKind.REFUSED)}
    assert by == {member(pages, "secretaire"): "127.0.0.1", "web": "192.0.2.7"}


def test_a_token_that_went_elsewhere_is_refused_and_journalled_with_its_owner(
    pages: Pages,
) -> None:
    token, clock = bearer(pages, "docteur"), pages.world.house.clock
    clock.advance(60)
    (session,) = pages.world.practice.sessions.values()
    ends = session.ends_at
    assert asyncio.run(dicomweb(pages, "/studies/1.2.3", token, "192.0.2.7")) == 403
    assert session.ends_at == ends
    pages.web.flush(final=True)
    (entry,) = entries(pages, EventKind.REFUSED)
    assert (entry.actor, entry.details["peer"]) == (member(pages, "docteur"), "192.0.2.7")


def test_searching_over_dicomweb_is_no_activity(pages: Pages) -> None:
    token, clock = bearer(pages, "docteur"), pages.world.house.clock
    (session,) = pages.world.practice.sessions.values()
    ends = session.ends_at
    clock.advance(60)
    asyncio.run(dicomweb(pages, "/studies", token))
    assert session.ends_at == ends
    asyncio.run(dicomweb(pages, "/studies/1.2.3", token))
    assert session.ends_at > ends
