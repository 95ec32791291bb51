"""What every search table promises: who is found, in which order, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from serment.adapters.memory.search import MemorySearchTable
from serment.core.dicom.query import fold
from serment.errors import FormatError, VaultLocked
from serment.ports import InstanceRow, Matches, SearchTable, StudyRow, StudySummary

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@pytest.fixture(params=[MemorySearchTable])
def table(request: pytest.FixtureRequest) -> Iterator[SearchTable]:
    made = request.param()
    yield made
    made.close()


def study(number: int, date: str = "20260101", **attributes: Any) -> StudyRow:
    known = {
        "PatientName": "MARTIN^Paul",
        "PatientID": f"P{number}",
        "PatientBirthDate": "19700102",
        "AccessionNumber": f"A{number}",
        "StudyDate": date,
        "StudyTime": "101500",
        "Modality": "CT",
    }
    return StudyRow(
        *(f"e{number}", "secretariat", None, "image", NOW + timedelta(seconds=number)),
        f"1.2.{number}",
        known | attributes,
    )


def instance(
    number: int, study: int = 1, series: int = 1, state: str = "kept", **attributes: Any
) -> InstanceRow:
    known = {
        "SeriesNumber": series,
        "InstanceNumber": number,
        "Modality": "CT",
        "Rows": 512,
        "StudyDescription": "THORAX",
    }
    return InstanceRow(
        *(f"o{study}.{series}.{number}", f"e{study}", "care", f"1.2.{study}"),
        *(f"1.2.{study}.{series}", f"1.2.{study}.{series}.{number}", state),
        known | attributes,
    )


def uids(table: SearchTable, **matches: Any) -> list[str]:
    return [row.study_uid for row in table.studies(Matches(**matches))]


# Studies


def test_a_row_comes_back_as_it_was(table: SearchTable) -> None:
    row = replace(
        study(1, PatientName="LEFÈVRE^Hélène", OtherPatientIDs=["X1", "X2"]), patient="p1"
    )
    table.put_studies([row])
    assert table.studies(Matches()) == [row]
    assert table.study_of("e1") == row
    assert table.study_of("e2") is None
    assert table.dump() == ([row], [])


def test_newest_first_and_by_pages_of_studies(table: SearchTable) -> None:
    dates = {1: "20240101", 2: "20260301", 3: "", 4: "20250606", 5: "20260301"}
    rows = [study(number, date) for number, date in dates.items()]
    second = replace(study(2, "20260301"), envelope="e2bis", arrived=NOW + timedelta(hours=1))
    table.put_studies([second, *rows])
    assert uids(table) == ["1.2.2", "1.2.2", "1.2.5", "1.2.4", "1.2.1", "1.2.3"]
    assert [row.envelope for row in table.studies(Matches(limit=1))] == ["e2", "e2bis"]
    assert uids(table, limit=2) == ["1.2.2", "1.2.2", "1.2.5"]
    assert uids(table, limit=2, offset=2) == ["1.2.4", "1.2.1"]
    assert uids(table, limit=0) == []
    assert uids(table, offset=5) == []
    assert table.count_studies(Matches(limit=1)) == 5


def test_the_time_of_day_orders_studies_of_one_day(table: SearchTable) -> None:
    table.put_studies([study(1, StudyTime="080000"), study(2, StudyTime="110000.5"), study(3)])
    assert uids(table) == ["1.2.2", "1.2.3", "1.2.1"]


NAMES = ["LEFÈVRE^Hélène", "LEFEVRE^Luc", "LE FÈVRE^Anne", "MARTIN^Paul", "ÇELIK^Ayşe", ""]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("LEFEVRE HELENE", [0]),
        ("LEFEVRE", []),
        ("LEFEVRE*", [0, 1]),
        ("LEFEVRE *", [0, 1]),
        ("LE*", [0, 1, 2]),
        ("*FEVRE*", [0, 1, 2]),
        ("LEF?VRE L*", [1]),
        ("?ELIK*", [4]),
        ("*", [0, 1, 2, 3, 4, 5]),
        ("**", [0, 1, 2, 3, 4, 5]),
        ("", [5]),
        ("Z*", []),
        ("[L]*", []),
        ("%", []),
        ("_EFEVRE*", []),
    ],
)
def test_names_are_found_folded_with_wildcards(
    table: SearchTable, name: str, found: list[int]
) -> None:
    table.put_studies([study(number, PatientName=name) for number, name in enumerate(NAMES)])
    if name:
        assert fold(name.replace("[", "")) is not None
    expected = [f"1.2.{number}" for number in found]
    assert sorted(uids(table, name=name)) == (expected if name else sorted(uids(table)))
    assert table.count_studies(Matches(name=name)) == len(uids(table, name=name))


def test_brackets_in_a_pattern_are_only_brackets(table: SearchTable) -> None:
    table.put_studies([study(1, PatientID="A[1]"), study(2, PatientID="A1")])
    assert uids(table, identifier="A[1]") == ["1.2.1"]
    assert uids(table, identifier="?[1*") == ["1.2.1"]


def test_identifiers_of_all_kinds_without_regard_to_case(table: SearchTable) -> None:
    table.put_studies([study(1, PatientID="AbC", OtherPatientIDs=["ins-77"]), study(2)])
    for identifier in ("ABC", "abc", "INS-77", "ins*", "*77"):
        assert uids(table, identifier=identifier) == ["1.2.1"]
    assert uids(table, identifier="AB") == []


def test_accession_birth_date_modality_patient(table: SearchTable) -> None:
    rows = [
        study(1, AccessionNumber="ACC-1", PatientBirthDate="19500607", Modality="US"),
        study(2, ModalitiesInStudy=["CT", "SR"]),
        replace(study(3), patient="p3"),
    ]
    table.put_studies(rows)
    assert uids(table, accession="acc-1") == ["1.2.1"]
    assert uids(table, accession="ACC*") == ["1.2.1"]
    assert uids(table, birth_date="19500607") == ["1.2.1"]
    assert uids(table, birth_date="1950*") == ["1.2.1"]
    assert uids(table, modality="SR") == ["1.2.2"]
    assert sorted(uids(table, modality="ct")) == ["1.2.2", "1.2.3"]
    assert uids(table, patient="p3") == ["1.2.3"]
    assert uids(table, patient="*") == []
    assert uids(table, modality="CT", patient="p3") == ["1.2.3"]
    assert uids(table, modality="US", patient="p3") == []


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("20260101", None, [2, 3, 4]),
        (None, "20260101", [1, 2]),
        ("20260101", "20260101", [2]),
        ("20260102", "20261231", [3, 4]),
        ("20270101", "20260101", []),
        (None, None, [1, 2, 3, 4, 5]),
    ],
)
def test_dates_are_inclusive_and_an_undated_study_has_none(
    table: SearchTable, start: str | None, end: str | None, found: list[int]
) -> None:
    dates = ["20251231", "20260101", "20260102", "20261231", ""]
    table.put_studies([study(number, date) for number, date in enumerate(dates, 1)])
    expected = [f"1.2.{number}" for number in found]
    assert sorted(uids(table, date_from=start, date_to=end)) == expected
    assert table.count_studies(Matches(date_from=start, date_to=end)) == len(found)
    both = Matches(date_from=start, date_to=end, modality="CT")
    assert sorted(row.study_uid for row in table.studies(both)) == expected
    assert table.count_studies(both) == len(found)


def test_lists_of_uids(table: SearchTable) -> None:
    table.put_studies([study(number) for number in range(1, 6)])
    assert sorted(uids(table, study_uids=("1.2.2", "1.2.4", "9.9"))) == ["1.2.2", "1.2.4"]
    assert uids(table, study_uids=()) == []


def test_all_rows_of_a_study_come_together(table: SearchTable) -> None:
    """One study that came in two envelopes: a match on one shows the study as a whole."""
    images, report = study(1), replace(study(1, Modality="SR"), envelope="e1sr")
    for patient in (None, "p1"):
        rows = [replace(images, patient=patient), replace(report, patient=patient)]
        table.put_studies(rows)
        assert table.studies(Matches(modality="SR")) == rows
        assert table.studies(Matches(envelopes=("e1sr",))) == rows
        assert table.count_studies(Matches()) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"patient": "p2"},
        {"patient": None},
        {"patient": None, "PatientName": "DURAND^Luc"},
        {"patient": "p2", "PatientName": "DURAND^Luc"},
    ],
    ids=str,
)
def test_two_people_under_one_uid_are_two_studies(
    table: SearchTable, other: dict[str, Any]
) -> None:
    """Each found by its own; neither brings the other along, and they are counted apart."""
    patient, values = other["patient"], {k: v for k, v in other.items() if k != "patient"}
    one = replace(study(1, AccessionNumber="MINE"), patient="p1")
    two = replace(study(1, Modality="SR", **values), envelope="e2", patient=patient)
    table.put_studies([one, two])
    assert table.studies(Matches(accession="MINE")) == [one]
    assert table.studies(Matches(modality="SR")) == [two]
    assert table.studies(Matches(patient="p1")) == [one]
    assert table.studies(Matches(envelopes=("e2", "absent"))) == [two]
    assert table.count_studies(Matches(study_uids=("1.2.1",))) == 2
    pages = [table.studies(Matches(limit=1, offset=at)) for at in range(3)]
    assert sorted(map(len, pages)) == [0, 1, 1]
    table.put_studies([replace(two, patient="p1")])  # filed with the same patient after all
    assert table.studies(Matches(patient="p1")) == [one, replace(two, patient="p1")]
    assert table.count_studies(Matches()) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"PatientName": "MARTIN^Paule"},
        {"PatientBirthDate": "19700103"},
        {"PatientSex": "F"},
        {"PatientID": "P2"},
        {"IssuerOfPatientID": "AILLEURS"},
    ],
    ids=str,
)
def test_who_waits_is_told_apart_by_every_item_of_his_identity(
    table: SearchTable, values: dict[str, str]
) -> None:
    table.put_studies([study(1), replace(study(1, **values), envelope="e2")])
    assert table.count_studies(Matches()) == 2


def test_putting_an_envelope_again_replaces_its_row(table: SearchTable) -> None:
    table.put_studies([study(1), study(2)])
    filed = replace(study(1, "20270101", PatientName="DURAND^Zoé"), patient="p1", study_uid="9.9")
    table.put_studies([filed])
    assert uids(table) == ["9.9", "1.2.2"]
    assert uids(table, name="DURAND*") == ["9.9"]
    assert uids(table, name="MARTIN*") == ["1.2.2"]
    assert uids(table, study_uids=("1.2.1",)) == []
    assert uids(table, accession="A1") == ["9.9"]
    table.put_studies([study(3), study(3, PatientName="DURAND^Luc")])
    assert uids(table, name="DURAND*") == ["9.9", "1.2.3"]


def test_removing_envelopes_removes_all_they_brought(table: SearchTable) -> None:
    table.put_studies([study(1), study(2), replace(study(1), envelope="e1bis")])
    table.put_instances([instance(1, study=1), instance(1, study=2)])
    table.remove(["e1", "absent"])
    assert sorted(row.envelope for row in table.studies(Matches())) == ["e1bis", "e2"]
    assert uids(table, identifier="P1") == ["1.2.1"]
    assert [row.study_uid for row in table.instances(Matches())] == ["1.2.2"]
    table.remove(["e1bis", "e2"])
    assert table.dump() == ([], [])
    assert uids(table, identifier="P1") == []
    assert table.summaries([("e1",), ("e2", "e1bis")]) == {}


# Many studies: whichever way the search takes, the answer is the same


@pytest.fixture(scope="module")
def many() -> Iterator[tuple[SearchTable, list[StudyRow]]]:
    rows = [
        study(
            number,
            date=f"20{20 + number % 7}0{1 + number % 9}{10 + number % 19}",
            PatientName=("LEFÈVRE^Anne", "MARTIN^Paul", f"NOM{number % 97}^X")[number % 3],
            Modality=("CT", "CT", "CT", "US", "MR")[number % 5] if number % 400 else "XA",
        )
        for number in range(1, 3001)
    ]
    made = MemorySearchTable()
    made.put_studies(rows)
    yield made, rows
    made.close()


@pytest.mark.parametrize(
    "matches",
    [
        Matches(),
        Matches(modality="CT"),
        Matches(modality="XA"),
        Matches(name="LEFEVRE*"),
        Matches(name="NOM1*"),
        Matches(name="NOM1*", modality="XA"),
        Matches(name="*A*", modality="US"),
        Matches(name="*ANNE", date_from="20230101"),
        Matches(date_from="20230105", date_to="20230111", modality="CT"),
        Matches(date_to="20210101", modality="CT", name="LEFEVRE*"),
        Matches(identifier="P1?7", modality="CT"),
    ],
    ids=str,
)
def test_pages_of_many(many: tuple[SearchTable, list[StudyRow]], matches: Matches) -> None:
    table, rows = many
    expected = [row for row in rows if wanted(row, matches)]
    expected.sort(key=lambda row: row.study_uid)
    expected.sort(key=lambda row: row.attributes["StudyDate"], reverse=True)
    order = [row.study_uid for row in expected]
    assert [row.study_uid for row in table.studies(matches)] == order
    for offset in (0, 10, len(order) - 5):
        page = replace(matches, limit=25, offset=max(0, offset))
        start = max(0, offset)
        assert [row.study_uid for row in table.studies(page)] == order[start : start + 25]
    assert table.count_studies(matches) == len(order)


def wanted(row: StudyRow, matches: Matches) -> bool:
    """The same rules, said once more in Python."""
    from fnmatch import fnmatchcase

    known = row.attributes
    tests = [
        (matches.name, fold(known["PatientName"])),
        (matches.modality, known["Modality"]),
        (matches.identifier, known["PatientID"]),
    ]
    if not all(pattern is None or fnmatchcase(value, pattern) for pattern, value in tests):
        return False
    date = known["StudyDate"]
    return (matches.date_from or "") <= date <= (matches.date_to or "9")


# Instances


def test_instances_in_the_order_of_series_and_number(table: SearchTable) -> None:
    rows = [
        instance(10, series=2),
        instance(2, series=2),
        instance(1, series=10),
        instance(3, series=1, InstanceNumber=None, SeriesNumber="x"),
        instance(1, study=0),
    ]
    table.put_instances(rows)
    found = table.instances(Matches())
    assert found == [rows[4], rows[1], rows[0], rows[2], rows[3]]
    assert table.instances(Matches(limit=2, offset=1)) == [rows[1], rows[0]]
    assert table.instance_of("o1.2.10") == rows[0]
    assert table.instance_of("absent") is None


def test_instances_by_uid_and_modality(table: SearchTable) -> None:
    rows = [instance(1), instance(2), instance(1, series=2, Modality="SR"), instance(1, study=2)]
    table.put_instances(rows)
    assert table.instances(Matches(study_uids=("1.2.2",))) == [rows[3]]
    assert table.instances(Matches(envelopes=("e2", "e3"))) == [rows[3]]
    assert table.instances(Matches(study_uids=("1.2.1",), envelopes=("e2",))) == []
    assert table.instances(Matches(series_uids=("1.2.1.2",))) == [rows[2]]
    assert table.instances(Matches(instance_uids=("1.2.1.1.1", "1.2.1.1.2"))) == rows[:2]
    assert table.instances(Matches(study_uids=("1.2.1",), modality="sr")) == [rows[2]]
    both = Matches(study_uids=("1.2.2",), instance_uids=("1.2.1.1.1",))
    assert table.instances(both) == []
    assert table.instances(Matches(instance_uids=())) == []


def test_duplicates_are_left_out_conflicts_are_shown(table: SearchTable) -> None:
    rows = [
        instance(1),
        replace(instance(1, state="duplicate"), object="again"),
        replace(instance(1, state="conflict"), object="other"),
    ]
    table.put_instances(rows)
    assert [row.object for row in table.instances(Matches())] == ["o1.1.1", "other"]
    assert table.instance_of("again") == rows[1]
    assert table.dump() == ([], rows)


@pytest.mark.parametrize(
    "name", ["name", "identifier", "birth_date", "date_from", "date_to", "accession", "patient"]
)
def test_instances_know_nothing_of_identities(table: SearchTable, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        table.instances(Matches(**{name: "20260101"}))


def test_instances_that_came_more_than_once(table: SearchTable) -> None:
    first, second = instance(1), replace(instance(1), object="again", envelope="e9")
    third = replace(instance(1), object="third")
    table.put_instances([instance(2), second])
    assert table.repeated() == []
    table.put_instances([first, third])
    assert table.repeated() == [[second, first, third]]
    table.put_instances([replace(first, state="duplicate")])
    assert table.repeated() == [[second, third]]
    table.remove(["e9"])
    assert table.repeated() == []
    table.put_instances([replace(instance(5), object=name, instance_uid="") for name in "ab"])
    assert table.repeated() == []


def test_summaries(table: SearchTable) -> None:
    slices = [instance(number, series=2) for number in range(1, 6)]
    report = instance(1, series=1, Rows=None, StudyDescription="")
    table.put_instances([*slices, report, instance(1, study=2, Rows=None, StudyDescription="")])
    found = table.summaries([("e1",), ("e2",), ("e3",)])
    assert found == {
        ("e1",): StudySummary(2, 6, 0, "THORAX", "o1.2.3"),
        ("e2",): StudySummary(1, 1, 0, "", None),
    }


def test_a_summary_is_of_its_envelopes_only(table: SearchTable) -> None:
    """One series that came in two envelopes is one; what another envelope has under the same UIDs
    is not of it, picture included."""
    table.put_instances([instance(1), instance(3)])
    table.put_instances([replace(instance(2), envelope="e2")])
    assert table.summaries([("e1", "e2")])["e1", "e2"] == StudySummary(1, 3, 0, "THORAX", "o1.1.2")
    assert table.summaries([("e1",)])["e1",] == StudySummary(1, 2, 0, "THORAX", "o1.1.3")
    assert table.summaries([("e2",)])["e2",] == StudySummary(1, 1, 0, "THORAX", "o1.1.2")


def test_summaries_follow_what_comes_and_goes(table: SearchTable) -> None:
    def summary() -> StudySummary:
        return table.summaries([("e1", "e9")])["e1", "e9"]

    table.put_instances([instance(1)])
    assert summary() == StudySummary(1, 1, 0, "THORAX", "o1.1.1")
    table.put_instances([replace(instance(1, state="conflict"), object="other", envelope="e9")])
    assert summary().conflicts == 1
    assert summary().instances == 2
    table.put_instances([replace(instance(1, state="duplicate"), object="other", envelope="e9")])
    assert summary() == StudySummary(1, 1, 0, "THORAX", "o1.1.1")
    assert table.summaries([("e7",)]) == {}
    table.put_instances([replace(instance(1), envelope="e7")])
    assert table.summaries([("e7",)])["e7",].instances == 1
    table.remove(["e9"])
    assert table.summaries([("e1", "e9")]) == {}


# Closing


def test_an_image_brings_everything_back(table: SearchTable) -> None:
    other = MemorySearchTable()
    first, again = instance(1), replace(instance(1), object="again")
    table.put_studies([study(1, OtherPatientIDs=["X1"]), study(2)])
    table.put_instances([first, again, instance(2, study=2)])
    other.put_studies([study(9)])
    other.put_instances([instance(1, study=9)])
    assert other.summaries([("e9",)])
    other.restore(table.image())
    assert other.dump() == table.dump()
    assert uids(other, identifier="x1") == ["1.2.1"]
    assert other.summaries([("e9",), ("e2",)]) == table.summaries([("e2",)])
    assert other.repeated() == [[first, again]]
    assert other.envelopes() == {"e1", "e2"}
    other.put_studies([study(3)])
    other.remove(["e1"])
    assert other.envelopes() == {"e2", "e3"}
    assert table.envelopes() == {"e1", "e2"}
    other.close()


def test_an_image_holds_nothing_that_was_removed(table: SearchTable) -> None:
    table.put_studies([study(number, PatientName="ABSENT^Luc") for number in range(1, 50)])
    table.put_instances([instance(n, StudyDescription="DISPARU") for n in range(1, 50)])
    before = table.image()
    assert b"ABSENT" in before
    assert b"DISPARU" in before
    table.remove([f"e{number}" for number in range(1, 50)])
    after = table.image()
    assert b"ABSENT" not in after
    assert b"DISPARU" not in after


@pytest.mark.parametrize("damage", [b"", b"nothing", b"SQLite format 3\0" + bytes(4080)])
def test_a_foreign_image_is_refused_and_changes_nothing(table: SearchTable, damage: bytes) -> None:
    table.put_studies([study(1)])
    with pytest.raises(FormatError):
        table.restore(damage)
    assert uids(table) == ["1.2.1"]


def test_odd_values_are_kept_and_searched_without_harm(table: SearchTable) -> None:
    row = study(1, PatientName="A\ud800B^\x00C", PatientID="'; DROP TABLE study; --")
    table.put_studies([row])
    assert table.studies(Matches(identifier="'; DROP TABLE study; --")) == [row]
    assert uids(table, name="\ud800*") == []
    assert uids(table, name="A?B*") == ["1.2.1"]


def test_a_closed_circle_answers_nothing(table: SearchTable) -> None:
    table.put_studies([study(1)])
    table.close()
    table.close()
    with pytest.raises(VaultLocked):
        table.studies(Matches())
    with pytest.raises(VaultLocked):
        table.put_instances([instance(1)])
