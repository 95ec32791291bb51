"""Doctor finds what nothing opens any more, though every wrap that is left is whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from tests.practices import World, patient, report, study
from tests.unit.keep.conftest import Silent, change

from serment.app.keep import health
from serment.app.keep.health import examine
from serment.core.records import names
from serment.core.records.vault import Envelope, IdentityHeader, Wrap, WrapKind


class Quiet:
    """A machine with nothing to say about."""

    def shares_here(self) -> int:
        return 0

    def decoder_lacks(self) -> list[str]:
        return []

    def talker_lacks(self) -> list[str]:
        return []

    def damaged_files(self) -> list[tuple[str, datetime]]:
        return []

    def loose_files(self) -> list[str]:
        return []

    def free_bytes(self) -> int:
        return 10**12

    def vault_bytes(self) -> int:
        return 0

    def receiving(self) -> bool:
        return False


def found(world: World) -> list[str]:
    findings = examine(world.house, Quiet(), Silent()).findings
    return [finding.message.format(**finding.values) for finding in findings]


def wraps(world: World, **equals: Any) -> list[Wrap]:
    return world.house.store.find(Wrap, **equals)


@pytest.fixture
def filed(world: World) -> World:
    with world.signed_in("docteur"):
        world.practice.tidy()
    return world


def test_a_whole_vault_has_nothing_to_say(world: World) -> None:
    assert found(world) == []
    with world.signed_in("docteur"):
        world.practice.tidy()
    assert world.house.store.find(Envelope, patient=None) == []
    assert found(world) == []


def test_an_envelope_that_is_gone_is_told_once(world: World, monkeypatch: Any) -> None:
    """As after the copy of the keys was restored, which is older than it."""
    monkeypatch.setattr(health, "PAGE", 2)
    world.receive(report(study(patient(4), 4), number) for number in range(5))
    gone = world.house.store.find(Envelope)[-1]
    change(
        world,
        delete=[
            *world.house.store.find(IdentityHeader, envelope=gone.id),
            *wraps(world, subject=names.envelope(gone.id)),
            gone,
        ],
    )
    assert found(world) == [f"the envelope {gone.id} is gone, and its keys with it"]


def test_an_envelope_without_wraps_opens_no_more(world: World) -> None:
    envelope = world.house.store.find(Envelope)[0].id
    subject = names.envelope(envelope)
    change(world, delete=wraps(world, kind=WrapKind.ENVELOPE_SEED, subject=subject))
    assert found(world) == [f"nothing opens the envelope {envelope} any more"]


def test_one_wrap_that_is_left_will_do(world: World) -> None:
    change(world, delete=wraps(world, kind=WrapKind.ENVELOPE_SEED, recipient="circle:care"))
    assert found(world) == []


def test_a_wrap_to_an_epoch_that_nobody_has_opens_nothing(world: World) -> None:
    subject = names.envelope(world.house.store.find(Envelope)[0].id)
    old = wraps(world, kind=WrapKind.ENVELOPE_SEED, subject=subject)
    change(world, delete=old, put=[replace(wrap, epoch=7) for wrap in old])
    assert len(found(world)) == 1


def test_the_key_of_a_compartment_is_followed(filed: World) -> None:
    lost = filed.house.store.find(Envelope)[1]
    subject = f"compartment:{lost.compartment}"
    change(filed, delete=wraps(filed, subject=subject))
    assert found(filed) == [f"nothing opens the envelope {lost.id} any more"]


def test_the_key_of_a_name_is_followed(filed: World) -> None:
    lost = filed.house.store.find(Envelope)[2]
    change(filed, delete=wraps(filed, subject=f"patient:{lost.patient}"))
    assert found(filed) == [f"nothing opens the name of the patient {lost.patient} any more"]


def test_identity_headers_without_a_key_are_found(world: World) -> None:
    subject = names.envelope(world.house.store.find(Envelope)[0].id)
    change(world, delete=wraps(world, kind=WrapKind.ENVELOPE_IDENTITY, subject=subject))
    (line,) = found(world)
    assert line.startswith("nothing opens the identity headers of the envelope")


def test_a_circle_whose_seed_nobody_has_is_found_with_what_hangs_on_it(world: World) -> None:
    change(world, delete=wraps(world, kind=WrapKind.CIRCLE_SEED, subject="circle:care@1"))
    assert found(world) == ["nobody holds the key of the circle care any more"]
    change(world, delete=wraps(world, kind=WrapKind.ENVELOPE_SEED, recipient="recovery"))
    assert len(found(world)) == 1 + 3


def test_a_decoder_that_is_not_shut_off_is_told(world: World) -> None:
    class Open(Quiet):
        def decoder_lacks(self) -> list[str]:
            return ["system calls", "no new file"]

    (finding,) = examine(world.house, Open(), Silent()).findings
    assert finding.grade is health.Grade.ATTENTION
    assert finding.values == {"what": "system calls, no new file"}


def test_a_talker_that_is_not_shut_off_is_told(world: World) -> None:
    class Open(Quiet):
        def talker_lacks(self) -> list[str]:
            return ["system calls"]

    (finding,) = examine(world.house, Open(), Silent()).findings
    assert finding.grade is health.Grade.ATTENTION
    assert finding.message.startswith("the process that talks to the network")
    assert finding.values == {"what": "system calls"}
