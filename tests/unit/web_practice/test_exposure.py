"""The Exposition screen behind its rights: who reads, who runs, what is journalled, what a page shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from starlette.applications import Starlette
from tests.unit.exposure.sights import BAD, HOST
from tests.unit.web_practice.pages import Pages

from serment.app.find.history import history
from serment.core.crypto.secret import Key
from serment.core.journal.entries import EventKind
from serment.core.journal.log import entry_of
from serment.core.records.vault import Member
from serment.entrypoints.web.app import create_app
from serment.entrypoints.web.security import COOKIE
from serment.entrypoints.web.views import AcceptOrder, AuditOrder, ExposureView, WeeklyOrder
from serment.errors import AccessDenied, Conflict, NoSpace, NotFound, UsageError

KEY = ("X01", HOST, 11112)
ORDER = AuditOrder((HOST,), "Dr Exemple", dmz=True, manual_rules=False)
ACTS: dict[str, Callable[[Pages, str], object]] = {
    "begin": lambda p, s: p.web.begin_audit(s, ORDER),
    "recheck": lambda p, s: p.web.recheck(s, KEY),
    "accept": lambda p, s: p.web.accept_finding(s, AcceptOrder(KEY, "x", "y", None)),
    "plan": lambda p, s: p.web.plan_audits(s, WeeklyOrder(True, 1, 1, (), "x", False)),
    "host": lambda p, s: p.web.host_posture(s),
}
READS: dict[str, Callable[[Pages, str], object]] = {
    "page": lambda p, s: p.web.exposure(s),
    "progress": lambda p, s: p.web.audit_progress(s),
    "report": lambda p, s: p.web.audit_report(s, "json", "fr"),
}


def kinds(pages: Pages) -> list[EventKind]:
    return [entry.kind for row in pages.world.house.store.journal() if (entry := entry_of(row))]


def audited(pages: Pages, session: str) -> ExposureView:
    pages.network.services = BAD["X01"][0].services
    pages.web.begin_audit(session, ORDER)
    pages.auditor.wait()
    return pages.web.exposure(session)


@pytest.mark.parametrize("who", ["docteur", "secretaire"])
def test_who_may_not_know_is_refused_everything(pages: Pages, who: str) -> None:
    session = pages.sign_in(who)
    for name, act in {**ACTS, **READS}.items():
        with pytest.raises(AccessDenied):
            act(pages, session)
        assert pages.network.orders == [], name
    assert pages.web.home(session).exposed is None
    pages.web.flush(final=True)
    assert EventKind.REFUSED in kinds(pages)


def test_the_dpo_reads_and_runs_nothing(pages: Pages) -> None:
    admin, dpo = pages.sign_in("admin"), pages.sign_in("dpo")
    audited(pages, admin)
    view = pages.web.exposure(dpo)
    assert [card.known.finding.id for card in view.cards] == ["X01", "X23", "X06"]
    assert not view.may_scan
    assert pages.web.audit_report(dpo, "json", "fr").content.startswith(b"{")
    for act in ACTS.values():
        with pytest.raises(AccessDenied):
            act(pages, dpo)
    exposed = pages.web.home(dpo).exposed
    assert exposed is not None
    assert (exposed.services, exposed.critical, exposed.outside) == (2, 2, 0)
    assert not exposed.looked_outside


def test_of_the_servers_own_services_no_more_is_asked_than_of_others(pages: Pages) -> None:
    """An administrator may aim at what listens on this machine alone: no account is tried, the journal
    says who, and the history where."""
    admin = pages.sign_in("admin")
    pages.web.begin_audit(admin, AuditOrder(("127.0.0.1", "::1"), ""))
    pages.auditor.wait()
    (order,) = pages.network.orders
    assert order.addresses == ("127.0.0.1", "::1")
    assert not order.default_accounts
    assert not order.fast
    entries = (entry_of(row) for row in pages.world.house.store.journal())
    (made,) = [each for each in entries if each and each.kind is EventKind.SCAN_MADE]
    (member,) = pages.world.house.store.find(Member, login="admin")
    assert made.actor == member.id
    ledger = history(pages.world.house, pages.desk.held_key())
    assert ledger.scans[-1].looked.networks == ("127.0.0.1/32", "::1/128")


def test_looking_is_journalled_once_for_each_audit(pages: Pages) -> None:
    admin = pages.sign_in("admin")
    for _ in range(3):
        pages.web.exposure(admin)
        pages.web.audit_progress(admin)
    assert kinds(pages).count(EventKind.SCAN_READ) == 1
    audited(pages, admin)
    pages.web.exposure(admin)
    assert kinds(pages).count(EventKind.SCAN_READ) == 2


def test_a_recheck_asks_one_place_about_one_thing(pages: Pages) -> None:
    admin = pages.sign_in("admin")
    audited(pages, admin)
    pages.network.services = ()
    pages.web.recheck(admin, KEY)
    pages.auditor.wait()
    order = pages.network.orders[-1]
    assert (order.addresses, order.ports) == ((HOST,), (11112,))
    view = pages.web.exposure(admin)
    assert [known.finding.key for known in view.gone] == [KEY]
    assert "X01" not in [card.known.finding.id for card in view.cards]
    assert view.scans[0].looked.only == ("X01",)
    with pytest.raises(NotFound):
        pages.web.recheck(admin, ("X99", HOST, 1))
    with pytest.raises(NotFound):  # said of the box as such: only a whole audit asks again
        pages.web.recheck(admin, ("X23", "box", 0))


def test_what_is_accepted_comes_back_when_its_time_is_over(pages: Pages) -> None:
    admin, clock = pages.sign_in("admin"), pages.world.house.clock
    audited(pages, admin)
    until = clock.now().date() + timedelta(days=30)
    with pytest.raises(UsageError):
        pages.web.accept_finding(admin, AcceptOrder(KEY, "Dr Exemple", "walled off", None))
    pages.web.accept_finding(admin, AcceptOrder(KEY, "Dr Exemple", "walled off", until))
    view = pages.web.exposure(admin)
    assert [card.known.finding.key for card in view.accepted] == [KEY]
    assert KEY not in [card.known.finding.key for card in view.cards]
    clock.advance(32 * 86400)
    view = pages.web.exposure(pages.sign_in("admin"))
    back = next(card for card in view.cards if card.known.finding.key == KEY)
    assert back.lapsed is not None
    assert back.lapsed.why == "walled off"


def test_the_answers_about_the_box_stay_until_others_are_given(pages: Pages) -> None:
    admin = pages.sign_in("admin")
    report = audited(pages, admin).report
    assert report is not None
    assert (report.scan.dmz, report.scan.manual_rules) == (True, False)
    pages.web.begin_audit(admin, AuditOrder((HOST,), "Dr Exemple"))
    pages.auditor.wait()
    again = pages.web.exposure(admin).report
    assert again is not None
    assert (again.scan.dmz, again.scan.outside_by) == (True, ("questions",))
    assert "X23" in [each.id for each in again.findings], "nobody asked about it: still open"


def test_who_answered_once_is_not_asked_again(pages: Pages) -> None:
    admin = pages.sign_in("admin")
    with pytest.raises(AccessDenied):
        pages.web.begin_audit(admin, AuditOrder((HOST,)))
    audited(pages, admin)
    pages.web.begin_audit(admin, AuditOrder((HOST,)))
    pages.auditor.wait()
    assert pages.web.exposure(admin).scans[0].authorised_by == "Dr Exemple"


def test_no_key_is_made_for_a_page_that_has_nothing_to_show(pages: Pages) -> None:
    """On a full disk it could not be written."""

    def none() -> Key:
        raise NoSpace("the disk is full")

    pages.desk = replace(pages.desk, held_key=none)
    pages.web._desk = pages.desk
    pages.auditor._held_key = none
    admin = pages.sign_in("admin")
    exposed = pages.web.home(admin).exposed
    assert exposed is not None
    assert exposed.last is None
    assert pages.web.exposure(admin).report is None
    pages.world.house.clock.advance(60)
    pages.auditor.tick()


def test_a_second_one_is_refused_while_one_runs(pages: Pages) -> None:
    admin = pages.sign_in("admin")
    pages.auditor._claim(weekly=True)
    with pytest.raises(Conflict):
        pages.web.begin_audit(admin, ORDER)
    running = pages.web.audit_progress(admin)
    assert running is not None
    assert running.weekly


def test_what_a_machine_says_of_itself_is_text_on_the_page(pages: Pages) -> None:
    admin = pages.sign_in("admin")
    bad = '<script>alert(1)</script>\x1b[31m"><img src=x>'
    (service,) = BAD["X12"][0].services[:1]
    pages.network.services = (replace(service, product=bad), *BAD["X12"][0].services)
    pages.web.begin_audit(admin, AuditOrder(("192.168.1.0/24",), bad))
    pages.auditor.wait()
    app = create_app(pages.web, ["127.0.0.1"])
    for lang in ("fr", "en"):
        html = asyncio.run(got(app, "/exposure", lang, admin))
        assert "alert(1)" in html
        for raw in ("<script>alert", "<img src=x", "\x1b"):
            assert raw not in html, raw


async def got(app: Starlette, path: str, lang: str, session: str) -> str:
    """A page as a browser asks for it; 200."""
    sent: list[Any] = []
    headers = {
        "host": "127.0.0.1",
        "accept-language": lang,
        "sec-fetch-mode": "navigate",
        "cookie": f"{COOKIE}={session}",
    }
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "https",
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8443),
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    text = b"".join(each.get("body", b"") for each in sent).decode()
    assert sent[0]["status"] == 200, text[:500]
    return text
