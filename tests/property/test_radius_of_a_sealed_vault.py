"""What the radius calls unintelligible does not open: random histories of a practice whose vault is
really sealed, copied at random moments, and a thief who tries every password he knows."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.practices import PASSWORD
from tests.unit.breach.conftest import NAMES, Practice
from tests.unit.web_practice.pages import staffed, twin

from serment.adapters.memory.store import MemoryStore
from serment.app.house import House
from serment.app.keyring import Keyring
from serment.app.protect import members
from serment.app.protect.unlocking import keyring_of, unlock
from serment.core.breach.exposure import Exposure
from serment.core.records import names
from serment.core.records.vault import Envelope, Member, MemberState, Patient, WrapKind
from serment.errors import AccessDenied, SermentError

LOGINS = ("admin", "docteur", "chirurgien", "secretaire", "dpo")
STEPS = st.one_of(
    st.tuples(
        st.just("bring"), st.integers(0, len(NAMES) - 1), st.sampled_from(("care", "chirurgie"))
    ),
    st.tuples(st.just("visit"), st.sampled_from(LOGINS)),
    st.tuples(st.just("unfile"), st.integers(0, 9)),
    st.tuples(st.just("remove"), st.sampled_from(("secretaire", "dpo", "chirurgien"))),
    st.tuples(st.just("copy")),
)
FOUNDED = []


@dataclass
class Copy:
    """The vault's rows as they were."""

    at: object
    house: House


def copied(practice: Practice) -> Copy:
    kept, store = practice.world.house.store, MemoryStore()
    store._tables = {kind: dict(rows) for kind, rows in kept._tables.items()}
    return Copy(practice.wait(), dataclasses.replace(practice.world.house, store=store))


def live(practice: Practice, step: tuple[object, ...]) -> None:
    """One step of the practice's life; what is not possible now does not happen."""
    world, (act, *how) = practice.world, step
    try:
        if act == "bring":
            practice.bring(int(how[0]), str(how[1]))
        elif act == "visit":
            with world.signed_in(str(how[0])):
                practice.wait()
                world.practice.tidy()
        elif act == "remove":
            with world.signed_in("admin") as session:
                members.remove(world.house, session.member, str(how[0]))
        elif act == "unfile":
            filed = [e for e in world.house.store.find(Envelope) if e.patient is not None]
            with world.signed_in("docteur") as session:
                chosen = filed[int(how[0]) % len(filed)] if filed else None
                if chosen is not None:
                    world.practice.filing("secretariat").unfile(session.member.id, chosen.id)
    except SermentError:
        pass
    practice.wait()


def opens(copy: Copy, known: tuple[str, ...]) -> tuple[set[str], set[str], set[str]]:
    """What these passwords really open in the copy: patients' records, envelopes' objects, their
    administrative headers."""
    rings: list[Keyring] = []
    for login in known:
        try:
            rings.append(keyring_of(copy.house, *unlock(copy.house, login, PASSWORD)))
        except AccessDenied:
            continue
    store = copy.house.store
    patients, contents, headers = set(), set(), set()
    for ring in rings:
        for row in store.find(Patient):
            if ring.key(store, WrapKind.PATIENT_IDENTITY, names.patient(row.id)) is not None:
                patients.add(row.id)
        for envelope in store.find(Envelope):
            subject = names.envelope(envelope.id)
            if ring.key(store, WrapKind.ENVELOPE_SEED, subject) is not None:
                contents.add(envelope.id)
            if ring.key(store, WrapKind.ENVELOPE_IDENTITY, subject) is not None:
                headers.add(envelope.id)
    return patients, contents, headers


@settings(max_examples=12, deadline=None)
@given(st.lists(STEPS, min_size=4, max_size=10), st.sets(st.sampled_from(LOGINS)))
def test_a_thief_opens_nothing_that_is_called_unintelligible(
    steps: list[tuple[object, ...]], known: set[str]
) -> None:
    if not FOUNDED:
        FOUNDED.append(staffed())
    practice = Practice(twin(FOUNDED[0]))
    copies = [copied(practice)]
    for step in steps:
        live(practice, step)
        if step[0] == "copy":
            copies.append(copied(practice))
    copies.append(copied(practice))
    for copy in copies:
        patients, contents, headers = opens(copy, tuple(known))
        said = practice.stolen(copy.at, *sorted(known), what="backup")  # type: ignore[arg-type]
        filed_with = {e.id: e.patient for e in practice.world.house.store.find(Envelope)}
        sealed = set(said.ids(Exposure.UNINTELLIGIBLE))
        assert not sealed & patients
        assert not sealed & {filed_with[e] for e in contents | headers}
        unfiled = {e for e in contents | headers if filed_with[e] is None}
        assert said.numbers.unfiled[Exposure.READABLE] >= len(unfiled)
        there = {e.id for e in copy.house.store.find(Envelope)}
        counted = sum(
            amount.envelopes
            for amount in said.numbers.categories["identity"].values()  # type: ignore[index]
        )
        assert counted == len(there), "every arrival that was there is told of"
        if not practice.world.house.store.find(Member, state=MemberState.REMOVED):
            # Nothing was deleted lately, so that the bound is exact.
            assert set(said.ids(Exposure.READABLE)) == (
                patients | {filed_with[e] for e in contents | headers} - {None}
            )
