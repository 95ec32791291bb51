"""One practice with arrivals for the tests that only read, a fresh one for those that change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.practices import World, patient, report, study
from tests.unit.web_practice.pages import Pages, full_study, staffed, twin

from serment.core.records.vault import StoredObject

PEOPLE = ("docteur", "chirurgien", "secretaire", "dpo", "admin")


@dataclass
class Reading:
    """The pages, a session of each member, and the ids of what was received."""

    pages: Pages
    sessions: dict[str, str]
    refs: dict[str, str]  # envelope ids: "full", "surgery", "slip"
    objects: tuple[str, ...]  # of "full", in the order of its series

    @property
    def web(self):
        return self.pages.web


@pytest.fixture(scope="package")
def practice() -> World:
    """Staffed, empty; never changed."""
    return staffed()


@pytest.fixture(scope="package")
def reading(practice: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    """A full study, one of another circle, one that waits to be filed; everybody signed in."""
    world = twin(practice)
    pages = Pages(world, tmp_path_factory.mktemp("intake") / "none.sock")
    arrivals = world.house.store
    pages.studies["full"] = study(patient(1), 1)
    full = world.receive(full_study(pages.studies["full"]))
    world.house.clock.advance(60)
    surgery = world.receive([report(study(patient(1), 2, "20260105"))], circle="chirurgie")
    with world.signed_in("docteur"):
        pass  # files both
    world.house.clock.advance(60)
    slip = world.receive([report(study(patient(1, birth_date="19570402"), 3, "20260106"))])
    sessions = {login: pages.sign_in(login) for login in PEOPLE}

    def envelope(receipt: object) -> str:
        return arrivals.get(StoredObject, receipt.object_id).envelope

    yield Reading(
        pages,
        sessions,
        {"full": envelope(full[0]), "surgery": envelope(surgery[0]), "slip": envelope(slip[0])},
        tuple(receipt.object_id for receipt in full),
    )
    world.practice.lock_all()


@pytest.fixture
def pages(practice: World, tmp_path: Path) -> Pages:
    """A staffed practice without arrivals, for one test."""
    return Pages(twin(practice), tmp_path / "intake.sock")
