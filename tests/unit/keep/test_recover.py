"""Two shares give back all that is whole: one damaged byte costs what only it leads to."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.practices import World, disk_world, patient, report, study
from tests.unit.keep.conftest import Silent, change, damage

from serment.app.keep.recover import Recovered, recover
from serment.app.protect import kit, members
from serment.app.protect.rows import identity_attributes
from serment.core.masked import Masked
from serment.core.records.vault import (
    Envelope,
    IdentityHeader,
    MemberState,
    Role,
    StoredObject,
    Wrap,
    WrapKind,
)
from serment.errors import IntegrityError

FRESH = Masked("Citron-Lampe-58-Falaise")


def recovered(world: World, sealed: bool = False) -> tuple[Recovered, dict[str, bytes]]:
    """What two shares give, by path."""
    out: dict[str, bytes] = {}

    def write(path: str, content: Iterable[bytes]) -> None:
        out[path] = b"".join(content)

    ring = kit.open_with(world.house, world.founded.shares[:2])
    return recover(world.house, ring, write, Silent(), sealed=sealed), out


def count(out: dict[str, bytes], suffix: str) -> int:
    return sum(path.endswith(suffix) for path in out)


def wrap(world: World, kind: WrapKind, recipient: str | None = None) -> Wrap:
    wanted = {} if recipient is None else {"recipient": recipient}
    return world.house.store.find(Wrap, kind=kind, **wanted)[0]


def file_all(world: World) -> None:
    with world.signed_in("docteur"):
        world.practice.tidy()


@pytest.mark.parametrize(
    ("kind", "recipient", "filed"),
    [
        (WrapKind.ENVELOPE_SEED, "circle:care", False),
        (WrapKind.ENVELOPE_SEED, "recovery", False),
        (WrapKind.ENVELOPE_IDENTITY, "circle:secretariat", False),
        (WrapKind.CIRCLE_SEED, "recovery", False),
        (WrapKind.PATIENT_IDENTITY, "recovery", True),
        (WrapKind.PATIENT_CLINICAL, "circle:care", True),
        (WrapKind.PATIENT_CLINICAL, "recovery", True),
    ],
)
def test_any_other_wrap_of_the_same_key_will_do(
    world: World, kind: WrapKind, recipient: str, filed: bool
) -> None:
    if filed:
        file_all(world)
    damage(world, wrap(world, kind, recipient))
    result, out = recovered(world)
    assert (result.objects, result.damaged) == (3, [])
    assert count(out, "identity.json") == 3


def test_an_envelope_that_nothing_opens_is_named_and_the_others_come_out(world: World) -> None:
    lost = wrap(world, WrapKind.ENVELOPE_SEED)
    for each in world.house.store.find(Wrap, kind=lost.kind, subject=lost.subject):
        damage(world, each)
    result, out = recovered(world)
    assert (result.objects, result.damaged) == (2, [lost.subject.removeprefix("envelope:")])
    assert count(out, ".dcm") == 2


def test_a_patient_whose_key_nothing_opens_costs_his_envelope_alone(world: World) -> None:
    file_all(world)
    lost = wrap(world, WrapKind.PATIENT_CLINICAL)
    for each in world.house.store.find(Wrap, kind=lost.kind, subject=lost.subject):
        damage(world, each)
    result, _ = recovered(world)
    assert (result.objects, len(result.damaged)) == (2, 1)


def test_objects_come_out_where_the_identity_cannot_be_read(world: World) -> None:
    header = world.house.store.find(IdentityHeader)[0]
    damage(world, header, "sealed")
    result, out = recovered(world)
    assert (result.objects, result.damaged) == (3, [header.envelope])
    assert count(out, ".dcm") == 3
    assert count(out, "identity.json") == 2
    assert f"unfiled/{header.envelope}/identity.json" not in out


def test_an_object_without_an_envelope_is_named(world: World) -> None:
    store = world.house.store
    (row,) = store.find(StoredObject, envelope=store.find(Envelope)[0].id)
    headers = store.find(IdentityHeader, envelope=row.envelope)
    change(world, delete=[*headers, *store.find(Envelope, id=row.envelope)])
    result, _ = recovered(world)
    assert (result.objects, result.damaged) == (2, [row.id])


def test_a_sealed_export_names_the_age_file_that_was_changed(tmp_path: Path) -> None:
    world = disk_world(tmp_path)
    world.add("docteur", Role.DOCTOR)
    world.receive([report(study(patient()), number) for number in (1, 2)])
    row = world.house.store.find(StoredObject)[1]
    path = next(tmp_path.rglob(f"{row.pack}.pack"))
    data = bytearray(path.read_bytes())
    data[row.offset + row.size - 3] ^= 1
    path.write_bytes(data)
    result, _ = recovered(world, sealed=True)
    assert (result.objects, result.damaged) == (1, [row.id])


def test_a_damaged_circle_seed_stops_neither_sign_in_nor_rescue(world: World) -> None:
    """The doctor's own wrap is whole; recovery cannot give him the circle again, his colleague
    can."""
    world.add("colleague", Role.DOCTOR, by="docteur")
    damage(world, wrap(world, WrapKind.CIRCLE_SEED, "recovery"))
    with world.signed_in("docteur") as session:
        assert session.care == ["care"]
    ring = kit.open_with(world.house, world.founded.shares[:2])
    member = members.rescue(world.house, ring, "docteur", FRESH)
    missing = set(member.circles) - ring.circles
    assert len(missing) == 1
    assert member.state is MemberState.PENDING
    with world.signed_in("colleague") as colleague:
        members.admit(world.house, colleague.member, colleague.ring, "docteur")
    session = world.practice.sign_in("docteur", FRESH, need_code=False)
    assert session.ring.circles == set(member.circles)


def test_a_circle_to_which_only_a_damaged_wrap_leads_is_said(world: World) -> None:
    doctor = members.find(world.house.store, "docteur")
    damage(world, wrap(world, WrapKind.CIRCLE_SEED, f"member:{doctor.id}"))
    with pytest.raises(IntegrityError):
        world.open("docteur")


def test_a_refusal_names_a_recipient_only_where_there_is_one(world: World) -> None:
    header = world.house.store.find(IdentityHeader)[0]
    damage(world, header, "sealed")
    ring = kit.open_with(world.house, world.founded.shares[:2])
    with pytest.raises(IntegrityError) as refused:
        identity_attributes(world.house.store, ring, header.envelope)
    assert str(refused.value) == f"identity-header of envelope:{header.envelope} is not authentic"
