"""The home page: each fact with how it stands, and what each person is asked to do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.practices import patient, report, study
from tests.unit.web_practice.pages import Pages, facts

from serment.app import circles
from serment.app.copying import DOUBTED
from serment.app.prove.thief import Reach
from serment.app.watch.checkpoints import Checkpoints
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Circle, ObjectState, Setting, StoredObject, Wrap, WrapKind
from serment.entrypoints.web.views import TodoName as T


def todo(pages: Pages, session: str) -> dict[T, int]:
    return {each.name: each.count for each in pages.web.home(session).todo}


def test_an_empty_vault(pages: Pages) -> None:
    home = pages.web.home(pages.sign_in("admin"))
    assert (home.reach, home.objects, home.patients, home.readable_patients) == (
        Reach.EMPTY,
        0,
        0,
        0,
    )
    assert home.to_file is None
    assert home.last_reception is None
    assert home.open_sessions == 1


def test_everything_is_sealed_and_it_says_how_it_knows(pages: Pages) -> None:
    pages.world.receive([report(study(patient()))])
    session = pages.sign_in("docteur")
    home = pages.web.home(session)
    assert home.reach is Reach.NOTHING
    assert (home.objects, home.patients, home.readable_patients, home.to_file) == (1, 1, 0, 0)
    assert home.last_reception == pages.world.house.clock.now()
    assert facts(home) == {
        "objects-sealed": "good",
        "keys-away": "good",
        "kit-away": "good",
        "open-sessions": "attention",
        "journal-whole": "unknown",
        "swap": "unknown",
    }
    in_memory = next(f for f in home.facts if f.name.value == "open-sessions")
    assert in_memory.values["circles"] == ("care", "secretariat")
    unchecked = [f for f in home.facts if f.state.value == "unknown"]
    assert all(fact.checked is None for fact in unchecked)


@pytest.mark.parametrize(
    ("shares", "reach", "state"),
    [(1, Reach.NOTHING, "attention"), (2, Reach.EVERYTHING, "bad"), (3, Reach.EVERYTHING, "bad")],
)
def test_the_kit_beside_the_vault(pages: Pages, shares: int, reach: Reach, state: str) -> None:
    pages.world.receive([report(study(patient()))])
    pages.machine.shares = shares
    session = pages.sign_in("docteur")
    home = pages.web.home(session)
    assert home.reach is reach
    assert facts(home)["kit-away"] == state
    assert home.readable_patients == (1 if shares > 1 else 0)
    assert (T.KIT_HERE in todo(pages, session)) == (shares > 1)


def test_the_journal_is_whole_once_it_was_checked(pages: Pages) -> None:
    house, session = pages.world.house, pages.sign_in("admin")
    Checkpoints(
        house.store, house.clock, pages.world.founded.journal_key, house.vault, 0, founding=True
    ).sign_if_changed()
    assert pages.web.verify(session, "").ok
    checked = next(f for f in pages.web.home(session).facts if f.name.value == "journal-whole")
    assert (checked.state.value, checked.checked) == ("good", house.clock.now())
    row = house.store._log[3]
    house.store._log[3] = replace(row, body=row.body + b" ")
    verdict = pages.web.verify(session, "")
    assert (verdict.ok, verdict.first_bad) == (False, 3)
    assert facts(pages.web.home(session))["journal-whole"] == "bad"


def test_an_object_that_is_no_age_file_is_seen(pages: Pages) -> None:
    pages.world.receive([report(study(patient()))])
    (row,) = pages.world.house.store.find(StoredObject)
    pages.world.house.packs._packs[row.pack][row.offset] ^= 1
    home = pages.web.home(pages.sign_in("docteur"))
    assert facts(home)["objects-sealed"] == "bad"


def test_an_object_that_changed_further_on_is_seen(pages: Pages) -> None:
    pages.world.receive([report(study(patient()))])
    (row,) = pages.world.house.store.find(StoredObject)
    pages.world.house.packs._packs[row.pack][row.offset + row.size - 1] ^= 1
    home = pages.web.home(pages.sign_in("docteur"))
    assert facts(home)["objects-sealed"] == "bad"


def test_a_key_that_is_not_as_long_as_a_sealed_one_is_seen(pages: Pages) -> None:
    session, store = pages.sign_in("docteur"), pages.world.house.store
    pages.world.receive([report(study(patient()))])
    wrap = store.find(Wrap, kind=WrapKind.CIRCLE_SEED)[0]
    entry = Entry(EventKind.REPAIRED, pages.world.house.clock.now(), "web", {})
    with store.change(entry) as tx:
        tx.delete(wrap)
        tx.add(replace(wrap, blob=bytes(32)))
    home = pages.web.home(session)
    assert facts(home)["keys-away"] == "bad"
    assert home.reach is Reach.EVERYTHING


def test_what_each_is_asked_to_do(pages: Pages) -> None:
    world = pages.world
    world.receive([report(study(patient()))])
    doctor, secretary, dpo, admin = map(pages.sign_in, ("docteur", "secretaire", "dpo", "admin"))
    world.receive([report(study(patient(birth_date="19570402"), 2))])
    world.practice.refresh()
    assert todo(pages, doctor) == {T.TO_FILE: 1, T.SECOND_FACTOR: 1}
    assert todo(pages, secretary) == {T.TO_FILE: 1, T.SECOND_FACTOR: 1}
    assert todo(pages, dpo) == {T.SECOND_FACTOR: 1, T.CHECKPOINT: 1}
    assert list(todo(pages, admin)) == [
        T.NO_DEVICE,
        T.SECOND_FACTOR,
        T.KIT_PRINTED,
        T.KIT_TRIED,
        T.AUDIT_NEVER,
        T.CHECKPOINT,
    ]


def test_declaring_the_kit_and_taking_a_checkpoint_are_remembered(pages: Pages) -> None:
    house, admin = pages.world.house, pages.sign_in("admin")
    pages.web.declare_kit(admin)
    Checkpoints(
        house.store, house.clock, pages.world.founded.journal_key, house.vault, 0, founding=True
    ).sign_if_changed()
    note = pages.web.checkpoint(admin)
    assert note.startswith(f"serment/{house.vault}\n")
    assert not {T.KIT_PRINTED, T.CHECKPOINT} & set(todo(pages, admin))
    assert pages.web.settings(admin).kit.printed == house.clock.now()
    house.clock.advance(31 * 24 * 3600)
    assert T.CHECKPOINT in todo(pages, pages.sign_in("admin"))


def test_circles_that_stopped_or_wait_for_a_new_key(pages: Pages) -> None:
    store, session = pages.world.house.store, pages.sign_in("docteur")
    care = circles.current(store)["care"]
    entry = Entry(EventKind.CIRCLE_STOPPED, pages.world.house.clock.now(), "web", {})
    with store.change(entry) as tx:
        tx.put(replace(care, stopped=True, stale=True))
    assert isinstance(care, Circle)
    found = todo(pages, session)
    assert (found[T.CIRCLE_STOPPED], found[T.CIRCLE_STALE]) == (1, 1)


def test_a_copy_of_the_keys_that_knows_better_than_the_database_is_told(pages: Pages) -> None:
    store, session = pages.world.house.store, pages.sign_in("docteur")
    assert T.KEYS_COPY not in todo(pages, session)
    entry = Entry(EventKind.REPAIRED, pages.world.house.clock.now(), "worker", {})
    with store.change(entry) as tx:
        tx.put(Setting(DOUBTED, b"rows-kept"))
    assert todo(pages, session)[T.KEYS_COPY] == 1


def test_conflicts_are_for_those_who_can_look(pages: Pages) -> None:
    one = study(patient())
    pages.world.receive([report(one, text="Première lecture.")])
    pages.world.receive([report(one, text="Autre lecture, même numéro.")])
    doctor = pages.sign_in("docteur")
    assert [o.state for o in pages.world.house.store.find(StoredObject)] == [
        ObjectState.KEPT,
        ObjectState.CONFLICT,
    ]
    assert todo(pages, doctor)[T.CONFLICTS] == 1
    assert T.CONFLICTS not in todo(pages, pages.sign_in("chirurgien"))
    assert T.CONFLICTS not in todo(pages, pages.sign_in("secretaire"))
