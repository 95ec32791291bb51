"""After somebody left, the old key of his circle opens nothing any more; who stays reads on."""

from __future__ import annotations

import pytest
from tests.practices import World, memory_world, patient, report, study
from tests.sealing import keep

from serment.app.keyring import Keyring
from serment.app.protect import entitled, kit, members
from serment.core.crypto.secret import Seed
from serment.core.journal.entries import EventKind
from serment.core.journal.log import entry_of
from serment.core.records.vault import Compartment, Envelope, Patient, Role, Wrap, WrapKind
from serment.ports import Matches, Source

CIRCLES = ("care", "secretariat")


@pytest.fixture
def left(world: World) -> tuple[World, dict[str, Keyring]]:
    """A doctor who copied the seeds of his circles, and was removed; what was filed before, and
    what was not: the same name with another birth date waits."""
    world.add("confrere", Role.DOCTOR, by="docteur")
    for number, born in ((1, "19570401"), (2, "19570401"), (3, "19570402")):
        world.receive([report(study(patient(1, birth_date=born), number))])
    copied: dict[str, Seed] = {}
    with world.signed_in("confrere") as session:
        for name in CIRCLES:
            copied[name] = session.ring.seed(f"circle:{name}")
    with world.signed_in("admin") as session:
        members.remove(world.house, session.member, "confrere")
    rings = {n: Keyring(world.house.vault, f"circle:{n}", seed, 1) for n, seed in copied.items()}
    return world, rings


def _opened(world: World, rings: dict[str, Keyring]) -> int:
    """How many keys of patients and envelopes those seeds open."""
    store = world.house.store
    subjects = [
        *((WrapKind.PATIENT_IDENTITY, f"patient:{p.id}") for p in store.find(Patient)),
        *((WrapKind.PATIENT_CLINICAL, f"compartment:{c.id}") for c in store.find(Compartment)),
        *((WrapKind.ENVELOPE_IDENTITY, f"envelope:{e.id}") for e in store.find(Envelope)),
        *((WrapKind.ENVELOPE_SEED, f"envelope:{e.id}") for e in store.find(Envelope)),
    ]
    fresh = [
        Keyring(world.house.vault, f"circle:{name}", ring.seed(f"circle:{name}"), 1)
        for name, ring in rings.items()
    ]
    found = [ring.key(store, kind, subject) for ring in fresh for kind, subject in subjects]
    return sum(key is not None for key in found)


def _old_wraps(world: World) -> list[Wrap]:
    recipients = {f"circle:{name}" for name in CIRCLES}
    return [w for w in world.house.store.find(Wrap, epoch=1) if w.recipient in recipients]


def test_the_old_key_opens_nothing_once_the_new_one_is_given(
    left: tuple[World, dict[str, Keyring]],
) -> None:
    world, rings = left
    before = _opened(world, rings)
    # one patient's two keys; two filed envelopes' and one waiting one's, two each
    assert before == 1 + 1 + 3 + 3
    with world.signed_in("docteur") as session:
        assert _opened(world, rings) == 0
        assert _old_wraps(world) == []
        reading = world.reading(session)
        rows = reading.instances(Matches())
        assert len(rows) == 3
        assert all(reader.all() for reader in reading.open(rows, "report"))
        waiting = world.practice.filing("secretariat").waiting()
        assert len(waiting) == 1
    with world.signed_in("dpo"):
        assert len(world.practice.tables["dpo"].table.dump()[0]) == 3


def test_recovery_opens_all_of_it_still(left: tuple[World, dict[str, Keyring]]) -> None:
    world, _ = left
    with world.signed_in("docteur"):
        pass
    ring = kit.open_with(world.house, world.founded.shares[1:])
    for envelope in world.house.store.find(Envelope):
        assert ring.envelope_seed(world.house.store, envelope.id) is not None


def test_it_goes_on_in_slices_that_nobody_waits_for(
    left: tuple[World, dict[str, Keyring]], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, rings = left
    monkeypatch.setattr(entitled, "AT_ONCE", 1)
    with world.signed_in("docteur"):
        assert _opened(world, rings) > 0
    with world.signed_in("docteur"):  # interrupted, and taken up again
        counts = [len(_old_wraps(world))]
        while counts[-1]:
            world.practice.tidy()
            counts.append(len(_old_wraps(world)))
            assert counts[-1] < counts[-2]
        assert _opened(world, rings) == 0
        size = world.house.store.journal_size()
        world.practice.tidy()
        assert world.house.store.journal_size() == size  # nothing is left to do
    entries = [entry_of(row) for row in world.house.store.journal()]
    renewed = [e for e in entries if e and e.kind is EventKind.KEYS_RENEWED]
    assert all(len(e.details["wraps_deleted"]) == 1 == e.details["count"] for e in renewed)


def test_an_association_begun_before_seals_to_the_new_key(
    left: tuple[World, dict[str, Keyring]],
) -> None:
    world, rings = left
    reception = world.receiver().open(Source("dicom", None, None, "p", "l"))
    keep(reception, report(study(patient(1), 7)))
    with world.signed_in("docteur"):
        pass
    keep(reception, report(study(patient(1), 8)))
    reception.sync()
    reception.close()
    assert _opened(world, rings) == 0
    with world.signed_in("docteur"):
        assert len(world.practice.tables["care"].table.dump()[1]) == 5


def test_without_a_removal_nothing_is_given_again() -> None:
    world = memory_world()
    world.add("docteur", Role.DOCTOR)
    world.receive([report(study(patient()))])
    for _ in range(2):
        with world.signed_in("docteur"):
            pass
    entries = [entry_of(row) for row in world.house.store.journal()]
    assert not [e for e in entries if e and e.kind is EventKind.KEYS_RENEWED]
