"""What a declared device can do that somebody has taken over, and what it cannot.

It sends what it likes under any UID and any name. It reads nothing, replaces nothing, and whose
record something lands in is decided by all of the identity, or by a person.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from pydicom import dcmread
from tests.e2e.dicomweb.clinic import RELATED, stow_body
from tests.e2e.oath.client import BASE, Client
from tests.e2e.oath.premises import AE_TITLE, Premises, ask
from tests.e2e.oath.sender import Association
from tests.e2e.receiving.conftest import EXPLICIT, Peer, command, fragment, unit
from tests.e2e.serving import Server, serving
from tests.practices import patient, report, study

from serment.adapters.sqlite.store import SqliteStore
from serment.core.records.vault import Envelope, ObjectState, Patient, StoredObject
from serment.errors import Conflict

VICTIM = study(patient(1), 1)
OTHER = study(patient(2, "AUTRE^Personne", "19620202", "M"), 1)
TRUE, FALSE = "Aucune anomalie imaginaire.", "Constatation forgée de toutes pièces."


def forged(data: bytes, **changes: str) -> bytes:
    """The same object with other values, also where the file announces them."""
    dataset = dcmread(BytesIO(data))
    for name, value in changes.items():
        setattr(dataset, name, value)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    out = BytesIO()
    dataset.save_as(out)
    return out.getvalue()


@pytest.fixture
def practised(premises: Premises) -> Premises:
    """The victim's report is there, filed and read once."""
    premises.receive([report(VICTIM, 1, TRUE)])
    with premises.desk() as desk:
        ask(desk, "search", "docteur", query="")
    return premises


def filed(desk: Any) -> dict[str, str | None]:
    return {row.id: row.patient for row in desk.house.store.find(Envelope)}


def test_it_replaces_nothing(practised: Premises) -> None:
    """Other content under a UID that is there: both stay, the later one marked."""
    with practised.desk() as desk:
        (first,) = ask(desk, "search", "docteur", query="", level="instance")
        before = ask(desk, "fetch", "docteur", uid=first["SOPInstanceUID"])
    practised.receive([report(VICTIM, 1, FALSE)])
    with practised.desk() as desk:
        ask(desk, "search", "docteur", query="")
        found = ask(desk, "search", "docteur", query="", level="instance")
        assert [one.get("Conflict", False) for one in found] == [False, True]
        assert found[0]["Object"] == first["Object"]
        assert ask(desk, "fetch", "docteur", uid=first["SOPInstanceUID"]) == before
        states = [row.state for row in desk.house.store.find(StoredObject)]
        assert states == [ObjectState.KEPT, ObjectState.CONFLICT]


@pytest.mark.parametrize(
    "changes",
    [
        {"PatientName": "AUTRE^Nom"},
        {"PatientBirthDate": "19570402"},
        {"PatientSex": "M"},
        {"PatientID": "FICTIF9999"},
        {"IssuerOfPatientID": "AILLEURS"},
        {"PatientName": "", "PatientBirthDate": "", "PatientSex": ""},
    ],
    ids=lambda changes: " ".join(changes),
)
def test_whoever_does_not_know_all_of_an_identity_adds_nothing_to_it(
    practised: Premises, changes: dict[str, str]
) -> None:
    with practised.desk() as desk:
        (victim,) = (row.id for row in desk.house.store.find(Patient))
    practised.receive([forged(report(VICTIM, 3, FALSE), **changes)])
    with practised.desk() as desk:
        ask(desk, "search", "docteur", query="")
        assert list(filed(desk).values()).count(victim) == 1


def test_what_claims_somebody_elses_study_keeps_its_own_patient(practised: Premises) -> None:
    """It is another study, of whom it names, under the same UID; the record, the keys and every
    object of the victim stay as they were, and nothing is shown of one for the other."""
    with practised.desk() as desk:
        before = filed(desk)
        (victim,) = (row.id for row in desk.house.store.find(Patient))
        (kept,) = desk.house.store.find(StoredObject)
    practised.receive([forged(report(OTHER, 7, FALSE), StudyInstanceUID=VICTIM.uid)])
    with practised.desk() as desk:
        ask(desk, "search", "docteur", query="")
        new = set(filed(desk)) - set(before)
        assert {filed(desk)[each] for each in new}.isdisjoint({victim})
        assert {each: filed(desk)[each] for each in before} == before
        assert desk.house.store.get(StoredObject, kept.id) == kept
        rows = {row["PatientName"]: row for row in ask(desk, "search", "docteur", query=VICTIM.uid)}
        assert set(rows) == {VICTIM.patient.name, OTHER.patient.name}
        assert rows[VICTIM.patient.name]["Envelopes"] == list(before)
        assert {row["NumberOfStudyRelatedInstances"] for row in rows.values()} == {1}
        for row in rows.values():
            (envelope,) = row["Envelopes"]
            assert ask(desk, "show", "docteur", id=envelope) == row
        with pytest.raises(Conflict):
            ask(desk, "show", "docteur", id=VICTIM.uid)


def test_an_instance_under_a_uid_that_is_taken_is_asked_for_by_its_own_id(
    practised: Premises,
) -> None:
    """The UID alone gives nobody the forged object for the true one, nor the other way round."""
    with practised.desk() as desk:
        (first,) = ask(desk, "search", "docteur", query="", level="instance")
        uid = first["SOPInstanceUID"]
        before = ask(desk, "fetch", "docteur", uid=uid)
    practised.receive([forged(report(OTHER, 7), StudyInstanceUID=VICTIM.uid, SOPInstanceUID=uid)])
    with practised.desk() as desk:
        found = ask(desk, "search", "docteur", query=f"instance:{uid}", level="instance")
        assert len(found) == 2
        for command, name in (("fetch", "uid"), ("show", "id")):
            with pytest.raises(Conflict):
                ask(desk, command, "docteur", **{name: uid})
        assert ask(desk, "fetch", "docteur", uid=first["Object"]) == before
        (other,) = (one["Object"] for one in found if one["Object"] != first["Object"])
        assert dcmread(BytesIO(ask(desk, "fetch", "docteur", uid=other))).PatientName == (
            OTHER.patient.name
        )


@pytest.fixture(scope="module")
def served(
    founded: Premises, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Premises, Server]]:
    """A running server with the victim's report in it."""
    premises = founded.copy(tmp_path_factory.mktemp("device"))
    premises.receive([report(VICTIM, 1, TRUE)])
    with serving(premises.vault) as server:
        yield premises, server


def ask_for(peer: Peer, field: int, kind: str) -> int:
    """Send a request with a query on a storage context; the status answered."""
    peer.send(unit(4, fragment(3, 3, command(field, kind))), unit(4, fragment(3, 2, b"")))
    return peer.status()


def test_it_reads_nothing_and_asks_in_vain(served: tuple[Premises, Server]) -> None:
    """No query or retrieve context is accepted, no such request served, its token reads nothing."""
    premises, server = served
    root = "1.2.840.10008.5.1.4.1.2.2."
    services = [(n, root + str(n), [EXPLICIT]) for n in (1, 3)] + [
        (5, "1.2.840.10008.5.1.4.31", [EXPLICIT]),  # worklist
        (7, "1.2.840.10008.1.20.1", [EXPLICIT]),  # storage commitment
    ]
    ct = "1.2.840.10008.5.1.4.1.1.2"
    with socket.create_connection(("127.0.0.1", int(server.dicom_port)), 30) as wire:
        answer = Peer(wire).associate(calling=AE_TITLE.encode(), contexts=services)
    assert results(answer) == [3, 3, 3, 3]  # abstract syntax not supported (PS3.8 Table 9-18)
    for field in (0x20, 0x21, 0x10, 0x130, 0x140, 0x150):
        with Association(int(server.dicom_port)) as peer:
            assert ask_for(peer, field, ct) == 0x0211
    device = Client(server, premises.token)
    for path in ("/studies", f"/studies/{VICTIM.uid}", f"/studies/{VICTIM.uid}/metadata"):
        assert device.get(BASE + path).status in (401, 403)
    assert device.get("/studies").status == 303


def results(accepted: bytes) -> list[int]:
    """What became of each presentation context of an A-ASSOCIATE-AC (PS3.8 9.3.3)."""
    found, at = [], 68
    while at < len(accepted):
        if accepted[at] == 0x21:
            found.append(accepted[at + 6])
        at += 4 + int.from_bytes(accepted[at + 2 : at + 4], "big")
    return found


def test_it_cannot_choose_who_will_read(served: tuple[Premises, Server]) -> None:
    """The circle is that of the device's row, whatever headers and data sets say."""
    premises, server = served
    sent = Client(server, premises.token).send(
        "POST",
        f"{BASE}/studies?circle=chirurgie",
        stow_body([forged(report(OTHER, 9), InstitutionName="chirurgie")]),
        {"Content-Type": RELATED, "X-Serment-Circle": "chirurgie"},
    )
    assert sent.status == 200
    store = SqliteStore(premises.root / "vault.sqlite3", premises.root / "keys.copy")
    circles = [row.circle for row in store.find(Envelope)]
    store.close()
    assert circles == ["care", "care"]
