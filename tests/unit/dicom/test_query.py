"""Searches: QIDO-RS parameters and what people type, with what is refused and what is not said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.core.dicom.query import Query, fold, parse_qido, parse_text
from serment.errors import UsageError
from serment.ports import Matches


def asked(query: Query) -> dict[str, Any]:
    """The criteria that were given."""
    plain = Query().matches()
    return {name: value for name, value in query.matches().items() if value != plain[name]}


def test_a_query_has_the_fields_of_matches() -> None:
    assert Matches(**Query().matches()) == Matches()
    own = {"envelopes"}  # told by a study's own page, never asked for by a query
    assert set(Query().matches()) == set(Matches.__slots__) - own


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("LEFÈVRE^Hélène", "LEFEVRE HELENE"),
        ("Lefevre^Helene^^Dr", "LEFEVRE HELENE DR"),
        ("  le  fèvre ", "LE FEVRE"),
        ("D'ARC^Jean-Luc", "D ARC JEAN LUC"),
        ("D’ARC^Jean‑Luc", "D ARC JEAN LUC"),
        ("CŒUR^Lætitia", "COEUR LAETITIA"),
        ("Weiß^Ærøskøbing", "WEISS AEROSKOBING"),
        ("Çelik^Gülşen Iıi", "CELIK GULSEN III"),
        ("Wałęsa^Đorđe", "WALESA DORDE"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "YAMADA TAROU"),
        ("=山田^太郎", "山田 太郎"),
        ("^", ""),
        ("", ""),
        ("LEF*^H?", "LEF* H?"),
        ("ＬＥ　ＦＥＶＲＥ", "LE FEVRE"),
    ],
)
def test_folding(name: str, folded: str) -> None:
    assert fold(name) == folded


@given(st.text())
def test_folding_twice_changes_nothing(name: str) -> None:
    assert fold(fold(name)) == fold(name)


@given(st.text("aàâäeéèêëiîïoôöuùûüyÿcçœæ^'- ", min_size=1))
def test_folding_forgets_case(name: str) -> None:
    assert fold(name.upper()) == fold(name.lower()) == fold(name)
    assert fold(name).isascii()


# QIDO-RS (PS3.18 8.3.4)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PatientName", "LEFÈVRE*", {"name": "LEFEVRE*"}),
        ("00100010", "Lefèvre^Hélène", {"name": "LEFEVRE HELENE"}),
        ("PatientName", "LEFEVRE^*", {"name": "LEFEVRE *"}),
        ("PatientName", "***", {}),
        ("PatientName", "", {}),
        ("PatientName", "A**B", {"name": "A*B"}),
        ("PatientID", " IPP 4? ", {"identifier": "IPP 4?"}),
        ("00100020", "x", {"identifier": "x"}),
        ("PatientBirthDate", "19800131", {"birth_date": "19800131"}),
        ("AccessionNumber", "A1", {"accession": "A1"}),
        ("ModalitiesInStudy", "ct", {"modality": "CT"}),
        ("Modality", "CT", {"modality": "CT"}),
        ("StudyDate", "20240101", {"date_from": "20240101", "date_to": "20240101"}),
        ("StudyDate", "20240101-20240131", {"date_from": "20240101", "date_to": "20240131"}),
        ("StudyDate", "20240101-", {"date_from": "20240101"}),
        ("StudyDate", "-20240131", {"date_to": "20240131"}),
        ("00080020", "*", {}),
        ("StudyInstanceUID", "1.2.3,1.2.4, 1.2.3", {"study_uids": ("1.2.3", "1.2.4")}),
        ("StudyInstanceUID", "1.2.3\\1.2.4", {"study_uids": ("1.2.3", "1.2.4")}),
        ("0020000d", "1.2.3", {"study_uids": ("1.2.3",)}),
        ("SeriesInstanceUID", "1.2", {"series_uids": ("1.2",)}),
        ("SOPInstanceUID", "1.2", {"instance_uids": ("1.2",)}),
        ("StudyInstanceUID", "*", {}),
        ("limit", "25", {"limit": 25}),
        ("offset", "50", {"offset": 50}),
    ],
)
def test_qido_parameters(name: str, value: str, expected: dict[str, Any]) -> None:
    assert asked(parse_qido([(name, value)])) == expected


def test_several_modalities_are_alternatives() -> None:
    found = parse_qido([("ModalitiesInStudy", "CT\\MR"), ("PatientID", "1")]).alternatives()
    assert [asked(one) for one in found] == [
        {"modality": "CT", "identifier": "1"},
        {"modality": "MR", "identifier": "1"},
    ]


def test_fuzzy_matching_takes_the_beginning_of_a_name() -> None:
    query = parse_qido([("PatientName", "lefevre"), ("fuzzymatching", "true")])
    assert (query.fuzzy, query.name) == (True, "LEFEVRE*")
    assert parse_qido([("fuzzymatching", "false"), ("PatientName", "X")]).name == "X"


def test_fields_to_include() -> None:
    assert parse_qido([("includefield", "all"), ("includefield", "00080005")]).includefields == (
        "all",
    )
    query = parse_qido([("includefield", "StudyDescription,00201206"), ("includefield", "Rows")])
    assert query.includefields == ("StudyDescription", "00201206", "Rows")


def test_what_cannot_be_searched_by_is_named() -> None:
    query = parse_qido(
        [("StudyDescription", "x"), ("00081030", "y"), ("00101002.00100020", "z"), ("charset", "u")]
    )
    assert query.ignored == ("StudyDescription", "00081030", "00101002.00100020")
    assert asked(query) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("StudyDate", "2024"),
        ("StudyDate", "20240230"),
        ("StudyDate", "20240131-20240101"),
        ("StudyDate", "-"),
        ("StudyDate", "20240101-20240102-20240103"),
        ("PatientBirthDate", "19800101-19810101"),
        ("StudyInstanceUID", "1.2.3,abc"),
        ("StudyInstanceUID", "1." + "2" * 70),
        ("StudyInstanceUID", ",".join(f"1.{n}" for n in range(1001))),
        ("PatientName", "*a" * 9),
        ("PatientID", "x" * 300),
        ("limit", "-1"),
        ("limit", "x"),
        ("limit", "9999999"),
        ("offset", "1e3"),
        ("offset", "٣"),
        ("fuzzymatching", "perhaps"),
        ("includefield", "Patient Name"),
        ("bad-parameter", "x"),
        ("0010001", "x"),
    ],
)
def test_qido_refuses_without_repeating_the_value(name: str, value: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_qido([(name, value)])
    assert value not in str(refused.value)


def test_a_parameter_given_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="PatientID is given twice"):
        parse_qido([("PatientID", "1"), ("00100020", "2")])


# What people type


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name:LEFÈVRE", {"name": "LEFEVRE"}),
        ('nom:"Le Fèvre*"', {"name": "LE FEVRE*"}),
        ("id:42", {"identifier": "42"}),
        ("birth:19800131", {"birth_date": "19800131"}),
        ("naissance:31/01/1980", {"birth_date": "19800131"}),
        ("birth:1980-01-31", {"birth_date": "19800131"}),
        ("date:20240101-20240131", {"date_from": "20240101", "date_to": "20240131"}),
        ("date:2024-01-15..2024-02", {"date_from": "20240115", "date_to": "20240229"}),
        ("date:2023-02", {"date_from": "20230201", "date_to": "20230228"}),
        ("date:2024", {"date_from": "20240101", "date_to": "20241231"}),
        ("date:2024..", {"date_from": "20240101"}),
        ("date:-20240131", {"date_to": "20240131"}),
        ("modality:ct accession:A1", {"modality": "CT", "accession": "A1"}),
        (
            "study:1.2 series:1.3 instance:1.4",
            {
                "study_uids": ("1.2",),
                "series_uids": ("1.3",),
                "instance_uids": ("1.4",),
            },
        ),
        ("1.2.840.113619.2.1", {"study_uids": ("1.2.840.113619.2.1",)}),
        ("patient:0123abcd", {"patient": "0123abcd"}),
        ("", {}),
    ],
)
def test_typed_keys(text: str, expected: dict[str, Any]) -> None:
    query = parse_text(text)
    assert query.alternatives() == (query,)
    assert asked(query) == expected


def test_a_bare_word_is_a_name_an_identifier_or_an_accession_number() -> None:
    found = parse_text("Lefèvre modality:CT").alternatives()
    assert [asked(one) for one in found] == [
        {"modality": "CT", "name": "LEFEVRE*"},
        {"modality": "CT", "identifier": "Lefèvre"},
        {"modality": "CT", "accession": "Lefèvre"},
    ]


def test_several_bare_words_are_a_name() -> None:
    assert [asked(one) for one in parse_text("le fèvre anne").alternatives()] == [
        {"name": "LE FEVRE ANNE*"}
    ]
    assert parse_text("LEF*").alternatives()[0].name == "LEF*"


@pytest.mark.parametrize(
    "text", ["foo:bar", "birth:1980", "date:31/02/2024", "study:abc", "id:1 id:2", "x" * 300]
)
def test_typed_nonsense_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_text(text)
    assert "bar" not in str(refused.value)


def test_a_query_does_not_print_what_is_searched() -> None:
    query = parse_text("name:LEFEVRE id:4242")
    assert "LEFEVRE" not in f"{query} {query!r}"
