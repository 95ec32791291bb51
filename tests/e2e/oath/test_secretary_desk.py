"""Every request of the command line's table, asked by the secretary while a doctor's keys are in
the same memory: none gives her a clinical value. The doctor's answers show that the values are there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.e2e.oath.exhibits import LETTER, Exhibits
from tests.e2e.oath.premises import SECRET, Premises, ask

from serment.core.records.vault import Envelope, Patient, StoredObject
from serment.entrypoints.desk.desk import Desk
from serment.entrypoints.desk.table import REQUESTS
from serment.errors import AccessDenied, NotFound, SermentError

Options = dict[str, Any]

ANSWERED, REFUSED, NOTHING = "answered", "refused", "nothing of that id"


@dataclass(frozen=True)
class Try:
    """One request, what she is to get of it, and what the doctor gets (None: he is not asked)."""

    options: Options
    hers: str
    his: str | None = ANSWERED


@dataclass
class Vault:
    """A vault with everything of `Exhibits` in it, and every id there is."""

    premises: Premises
    exhibits: Exhibits
    patient: str
    envelopes: list[str]
    objects: list[str]
    document_uid: str


@pytest.fixture(scope="module")
def vault(founded: Premises, tmp_path_factory: pytest.TempPathFactory) -> Vault:
    premises, exhibits = founded.copy(tmp_path_factory.mktemp("desk")), Exhibits()
    premises.receive([exhibits.image, exhibits.report])
    with premises.desk() as desk:
        ask(desk, "search", "docteur", query="")
        (patient,) = (row.id for row in desk.house.store.find(Patient))
    (document,) = premises.receive([], pdf=(LETTER, patient))
    premises.receive([Exhibits(2).report])  # same name, other number: waits for a person
    with premises.desk() as desk:
        ask(desk, "search", "docteur", query="")
        store = desk.house.store
        envelopes = [row.id for row in store.find(Envelope)]
        objects = [row.id for row in store.find(StoredObject)]
    return Vault(premises, exhibits, patient, envelopes, objects, document.sop_instance)


def tries(vault: Vault) -> dict[str, list[Try]]:
    """A request that is not named here makes the tests fail: decide first what it may give her."""
    uids, study_uid = vault.exhibits.uids, vault.exhibits.exam.uid
    instances = [uids["instance"], uids["report's instance"], vault.document_uid]
    below = ("series", "instance")
    member = {"login": "nouveau"}
    return {
        "status": [Try({}, ANSWERED)],
        "unlock": [Try({"token": True}, ANSWERED)],
        "search": [
            Try({"query": "", "level": "study"}, ANSWERED),
            Try({"query": study_uid}, ANSWERED),
            *(Try({"query": q, "level": each}, REFUSED) for each in below for q in ("", study_uid)),
        ],
        "show": [
            Try({"id": study_uid}, ANSWERED),
            Try({"id": vault.patient}, ANSWERED),
            *(Try({"id": uid}, REFUSED) for uid in instances),
            *(Try({"id": uid}, REFUSED, NOTHING) for uid in (uids["series"],)),
            *(Try({"id": each}, ANSWERED) for each in vault.envelopes),  # as lists of studies do
            *(Try({"id": each}, NOTHING, NOTHING) for each in vault.objects),
        ],
        "fetch": [
            *(Try({"uid": uid}, REFUSED) for uid in instances),
            Try({"uid": study_uid}, REFUSED, NOTHING),
            # A random id is an object's; of any other one is not told whether it exists.
            *(Try({"uid": each}, REFUSED) for each in vault.objects),
            *(Try({"uid": each}, REFUSED, REFUSED) for each in (vault.patient, *vault.envelopes)),
        ],
        "waiting": [Try({}, ANSWERED)],
        "unfile": [Try({"envelope": vault.envelopes[0]}, ANSWERED, None)],
        "file": [Try({"envelope": vault.envelopes[0], "patient": vault.patient}, ANSWERED, None)],
        "repeats": [Try({"objects": vault.objects}, ANSWERED)],
        "member add": [
            Try({**member, "roles": ["doctor"]}, REFUSED, None),
            Try({**member, "roles": ["doctor"], "circle": "autre"}, REFUSED, None),
            Try({**member, "roles": ["administrator"]}, REFUSED, None),
            Try({**member, "roles": ["dpo"]}, REFUSED, None),
            Try({**member, "roles": ["secretary", "doctor"]}, REFUSED, None),
        ],
        "member admit": [Try({"login": "attend"}, ANSWERED, None)],  # to her own circle only
        "member words": [Try({"login": "docteur"}, ANSWERED)],
        "member remove": [Try({"login": "chirurgien"}, REFUSED, None)],
        "member list": [Try({}, ANSWERED)],
        "device add": [Try({"name": "x", "ae": "X", "address": "127.0.0.1"}, REFUSED, None)],
        "device remove": [Try({"name": "Scanner"}, REFUSED, None)],
        "device list": [Try({}, ANSWERED)],
        "member password": [Try({}, "UsageError", None)],  # her own only, and a new one is needed
        "circle list": [Try({}, ANSWERED)],
        "circle accept": [Try({"circle": "care"}, NOTHING, None)],
        "journal list": [Try({"last": 10_000}, ANSWERED)],
        "journal verify": [Try({}, ANSWERED)],
        "journal export": [Try({}, ANSWERED)],
        "journal checkpoint": [Try({}, ANSWERED)],
        "journal retention": [Try({"months": 24}, REFUSED, None)],
        # Counts and random ids: who is behind them only a page shows, and never to her.
        "breach radius": [
            Try(
                {"stolen": "backup", "at": datetime.now(UTC).isoformat(), "patients": True},
                ANSWERED,
            )
        ],
        # Addresses and counts, for whoever owns the machine: no session of hers is asked for.
        "scan history": [Try({}, ANSWERED)],
        "scan ledger": [Try({}, ANSWERED)],
        "scan schedule": [Try({}, ANSWERED)],
        "scan keep": [Try({}, "FormatError", None)],
        "scan accept": [Try({}, "FormatError", None)],
        "kit declared": [Try({}, REFUSED, None)],
        "lock": [Try({}, ANSWERED)],
    }


def attempt(desk: Desk, command: str, who: str, options: Options) -> tuple[str, bytes]:
    """How it ended, and every byte of the answer or of the refusal."""
    try:
        result = ask(desk, command, who, **options)
    except AccessDenied as refusal:
        return REFUSED, f"{refusal} {refusal.advice} {refusal.values}".encode()
    except NotFound as refusal:
        return NOTHING, f"{refusal} {refusal.advice} {refusal.values}".encode()
    except SermentError as error:
        return type(error).__name__, f"{error} {error.advice} {error.values}".encode()
    return ANSWERED, result if isinstance(result, bytes) else json.dumps(result).encode()


def asked(desk: Desk, vault: Vault, who: str) -> Iterator[tuple[str, Try, str, bytes]]:
    """Every request in turn: its name, the try, how it ended, what came back."""
    for command, all_tries in tries(vault).items():
        for one in all_tries:
            if who == "docteur" and one.his is None:
                continue
            yield (command, one, *attempt(desk, command, who, one.options))


def test_every_request_has_a_decision(vault: Vault) -> None:
    assert set(tries(vault)) == set(REQUESTS)


def test_the_doctor_obtains_every_clinical_value(vault: Vault) -> None:
    answers = []
    with vault.premises.desk() as desk:
        for command, one, ended, answer in asked(desk, vault, "docteur"):
            assert ended == one.his, (command, one.options)
            answers.append(answer)
    assert vault.exhibits.seen(*answers) == vault.exhibits.clinical - {"picture"}


def test_the_secretary_obtains_none_though_a_doctor_is_signed_in(vault: Vault) -> None:
    answers = []
    with vault.premises.desk() as desk:
        ask(desk, "member add", "admin", login="attend", roles=["doctor"])
        doctor = desk.practice.sign_in("docteur", SECRET, need_code=False)
        assert doctor.care == ["care"]
        for command, one, ended, answer in asked(desk, vault, "secretaire"):
            assert ended == one.hers, (command, one.options)
            answers.append(answer)
        assert desk.practice.locked()  # she may lock the practice, and did
        with_her_help = desk.practice.sign_in("attend", SECRET, need_code=False)
        assert with_her_help.care == []
    assert vault.exhibits.exam.uid.encode() in b"".join(answers)  # identities are hers to see
    assert vault.exhibits.seen(*answers) == set()


@pytest.mark.parametrize("login", ["dpo", "admin", "chirurgien"])
def test_neither_do_the_others_without_a_key_of_that_circle(vault: Vault, login: str) -> None:
    reading = ("search", "show", "fetch", "waiting", "repeats", "journal list", "journal export")
    with vault.premises.desk() as desk:
        desk.practice.sign_in("docteur", SECRET, need_code=False)
        answers = [
            attempt(desk, command, login, one.options)[1]
            for command in reading
            for one in tries(vault)[command]
        ]
    assert vault.exhibits.seen(*answers) == set()
