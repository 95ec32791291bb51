"""Reading who an arrival is said to be."""

from __future__ import annotations

import pytest

from serment.core.records.identity import (
    MAX_IDENTIFIERS,
    Identifier,
    Identity,
    fold_name,
    read_identity,
)
from serment.errors import FormatError

LUCIE = {
    "PatientName": "Lefèvre^Lucie^Anne^Mme",
    "PatientID": "4711",
    "IssuerOfPatientID": "RIS",
    "PatientBirthDate": "19840229",
    "PatientSex": "F",
}


def test_a_whole_header() -> None:
    identity = read_identity(LUCIE)
    assert identity.name == "Lefèvre^Lucie^Anne^Mme"
    assert identity.folded_name == "LEFEVRE LUCIE ANNE"
    assert (identity.birth_date, identity.sex) == ("19840229", "F")
    assert identity.identifiers == (Identifier("4711", "RIS"),)
    assert identity.is_complete


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("LEFEVRE^LUCIE", "Lefèvre^Lucie"),
        ("DUPONT^JEAN-PIERRE", "Dupont^Jean Pierre"),
        ("D'ARC^ANNE", "D’Arc^Anne"),
        ("OEUVRARD^ZOE", "Œuvrard^Zoé"),
        ("STRASSE^PIA", "Straße^Pia"),
        ("MARTIN^PAUL^^DR^PHD", "MARTIN^PAUL"),
        ("MARTIN^PAUL=馬丁^保羅", "MARTIN^PAUL"),
        ("MARTIN PAUL", "MARTIN^PAUL"),
        ("LEFE\u0300VRE^LUCIE", "LEF\u00c8VRE^LUCIE"),
    ],
)
def test_names_that_fold_alike(one: str, other: str) -> None:
    assert fold_name(one) == fold_name(other) != ""


def test_names_that_do_not_fold_alike() -> None:
    assert fold_name("MARTIN^PAUL") != fold_name("PAUL^MARTIN")
    assert fold_name("MARTIN^PAUL") != fold_name("MARTIN^PAULE")
    assert fold_name("=王^小明") == "王 小明"


@pytest.mark.parametrize("name", ["", "^", "ANONYMOUS", "anonymé", "XXXX^XX", "Sans^Nom", " . "])
def test_what_is_no_name(name: str) -> None:
    assert read_identity({**LUCIE, "PatientName": name}).folded_name == ""


@pytest.mark.parametrize("value", ["", "0", "0000", "N/A", "unknown", "X-X", "  ", None, 7])
def test_what_is_no_identifier(value: object) -> None:
    assert read_identity({**LUCIE, "PatientID": value}).identifiers == ()


@pytest.mark.parametrize(
    "value", ["", "19840230", "1984", "19000101", "00000000", "1984-02-29", "१९८४०२२९", None]
)
def test_what_is_no_birth_date(value: object) -> None:
    assert read_identity({**LUCIE, "PatientBirthDate": value}).birth_date is None


def test_sex() -> None:
    assert read_identity({**LUCIE, "PatientSex": "f "}).sex == "F"
    assert read_identity({**LUCIE, "PatientSex": "U"}).sex is None


def test_other_identifiers() -> None:
    header = {**LUCIE, "OtherPatientIDs": ["A1", ["284027512345678", "1.2.250.1.213.1.4.8"], "A1"]}
    assert read_identity(header).identifiers == (
        Identifier("4711", "RIS"),
        Identifier("A1"),
        Identifier("284027512345678", "1.2.250.1.213.1.4.8"),
    )
    assert read_identity({**LUCIE, "OtherPatientIDs": "A1"}).identifiers[1] == Identifier("A1")


def test_a_hostile_header_stays_small() -> None:
    header = {"PatientName": "É" * 10**6, "OtherPatientIDs": [f"n{i}" for i in range(10**4)]}
    identity = read_identity(header)
    assert len(identity.folded_name) <= 256
    assert len(identity.identifiers) == MAX_IDENTIFIERS


def test_the_sender_stands_in_for_a_missing_issuer() -> None:
    identity = read_identity({**LUCIE, "OtherPatientIDs": ["A1"]}).sent_by("device-1")
    assert identity.identifiers == (Identifier("4711", "RIS"), Identifier("A1", None, "device-1"))
    assert identity.sent_by("device-2") == identity


def test_learning_adds_identifiers_only() -> None:
    known = read_identity(LUCIE)
    arrival = Identity(
        "LEFEVRE^L", "19840228", "M", (Identifier("9", None, "d"), known.identifiers[0])
    )
    learned = known.learning(arrival)
    assert learned.identifiers == (Identifier("4711", "RIS"), Identifier("9", None, "d"))
    assert (learned.name, learned.birth_date, learned.sex) == (known.name, "19840229", "F")


def test_it_is_kept_as_bytes() -> None:
    identity = read_identity(LUCIE).sent_by("d")
    assert Identity.decode(identity.encode()) == identity
    for raw in (
        b"",
        b"[]",
        b"{}",
        b'{"name":1}',
        b"\xff",
        b'{"name":"a","birth_date":null,"sex":null,"identifiers":[[]]}',
    ):
        with pytest.raises(FormatError):
            Identity.decode(raw)


def test_no_text_form_tells_a_value() -> None:
    identity = read_identity(LUCIE)
    shown = f"{identity} {identity!r} {identity.identifiers} {identity.identifiers[0]}"
    for value in ("4711", "RIS", "1984", "LEF", "Lef", "Lucie"):
        assert value not in shown
