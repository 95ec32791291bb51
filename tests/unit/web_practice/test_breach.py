"""The page after a breach: who may ask, who is named to whom, and that it is journalled."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.practices import patient, report, study
from tests.unit.protect.thief import write
from tests.unit.web_practice.pages import HERE, Pages, everything_in

from serment.app import circles
from serment.app.watch.checkpoints import Checkpoints
from serment.core.breach.exposure import Category
from serment.core.crypto.keys import new_seed, public_key
from serment.core.journal.entries import EventKind
from serment.core.journal.log import entry_of
from serment.entrypoints.web.views import Page, RadiusQuery, RadiusView
from serment.errors import AccessDenied, UsageError

NAME = "LEFÈVRE Hélène"


@pytest.fixture
def filed(pages: Pages) -> Pages:
    pages.world.receive([report(study(patient()))])
    with pages.world.signed_in("docteur"):
        pass
    return pages


def stolen(pages: Pages, *known: str) -> RadiusQuery:
    return RadiusQuery("disk", pages.world.house.clock.now(), known=known)


@pytest.mark.parametrize(("login", "named"), [("docteur", True), ("dpo", True), ("admin", False)])
def test_who_may_ask_and_whom_he_sees_named(filed: Pages, login: str, named: bool) -> None:
    session = filed.sign_in(login)
    assert Page.BREACH in filed.web.session(session, True, HERE).pages
    assert "docteur" in filed.web.breach(session).logins
    start = filed.world.house.store.journal_size()
    found = filed.web.radius(session, stolen(filed, "docteur"))
    assert (found.patients, found.reached) == ((0, 1, 0), 1)
    assert (NAME in everything_in(found)) is named
    assert (found.named is not None) is named
    kinds = [e.kind for row in filed.world.house.store.journal(start) if (e := entry_of(row))]
    assert EventKind.RADIUS_COMPUTED in kinds
    assert (EventKind.SEARCHED in kinds) is named, "names that are shown are journalled"


def test_a_secretary_may_not_ask(filed: Pages) -> None:
    session = filed.sign_in("secretaire")
    assert Page.BREACH not in filed.web.session(session, True, HERE).pages
    with pytest.raises(AccessDenied):
        filed.web.breach(session)
    with pytest.raises(AccessDenied):
        filed.web.radius(session, stolen(filed))


def test_nobody_is_named_where_nothing_was_readable(filed: Pages) -> None:
    found = filed.web.radius(filed.sign_in("dpo"), stolen(filed))
    assert (found.patients, found.named, found.whole) == ((0, 0, 1), (), False)
    assert {line.category for line in found.categories} == set(Category)
    assert NAME not in everything_in(found)


def test_the_other_ways_a_breach_can_go(filed: Pages) -> None:
    session, now = filed.sign_in("dpo"), filed.world.house.clock.now()
    used = RadiusQuery("account", now, account="docteur")
    assert filed.web.radius(session, used).patients == (0, 1, 0)
    controlled = RadiusQuery("server", now)
    # The names that this page showed a moment ago were shown on that server.
    assert filed.web.radius(session, controlled).patients == (1, 0, 0)
    heard = RadiusQuery("listener", now, listener="127.0.0.1:11112")
    assert filed.web.radius(session, heard).patients == (1, 0, 0)
    filed.machine.shares = 2
    assert filed.web.radius(session, stolen(filed)).kit
    with pytest.raises(UsageError):
        filed.web.radius(session, RadiusQuery("", now))


def test_a_doubt_is_no_relief(filed: Pages) -> None:
    """Nobody is concerned by that account; but a public key was exchanged meanwhile."""
    house, session = filed.world.house, filed.sign_in("dpo")
    used = RadiusQuery("account", house.clock.now(), account="admin")

    def asked() -> RadiusView:
        founding = Checkpoints(
            house.store, house.clock, filed.world.founded.journal_key, house.vault, 0, founding=True
        )
        founding.sign_if_changed()
        return filed.web.radius(session, used)

    calm = asked()
    assert (calm.reached, calm.whole, calm.harmless) == (0, True, True)
    care = circles.current(house.store)["care"]
    write(filed.world, [replace(care, public_key=public_key(new_seed()))])
    with filed.world.signed_in("docteur"):
        pass
    doubtful = asked()
    assert (doubtful.reached, doubtful.whole, doubtful.harmless) == (0, True, False)
