"""Structured reports as lines: what is read, and what is refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from serment.core.dicom import sr
from serment.core.dicom.fictional import FictionalStudy, Place, text_report, ultrasound
from serment.core.dicom.fictional.people import code, header, part10
from serment.core.dicom.sr import Line, read_report
from serment.entrypoints.demo.people import patients
from serment.errors import FormatError

STUDY = FictionalStudy(patients()[0], "20260103", "101500", "ACC-1", "TDM", "ROUÉ^Éloi")
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
IMPLICIT = "1.2.840.10008.1.2"


def report(*content: Dataset, syntax: str = "1.2.840.10008.1.2.1", title: str = "Titre") -> bytes:
    dataset = header(STUDY, Place(1, 1), "1.2.840.10008.5.1.4.1.1.88.33", "SR")
    dataset.ValueType = "CONTAINER"
    dataset.ConceptNameCodeSequence = [code("1", "99", title)]
    dataset.ContentSequence = list(content)
    return part10(dataset, syntax)


def item(kind: str, name: str = "", **values: object) -> Dataset:
    dataset = Dataset()
    dataset.ValueType = kind
    if name:
        dataset.ConceptNameCodeSequence = [code("2", "99", name)]
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def measured(value: str, unit: str) -> Dataset:
    dataset = Dataset()
    dataset.NumericValue = value
    dataset.MeasurementUnitsCodeSequence = [code(unit, "UCUM", "unit")]
    return dataset


def test_a_text_report_reads_as_headings_and_sentences() -> None:
    data = text_report(
        STUDY,
        Place(2, 1),
        [("indication", ["Toux depuis l'été."]), ("conclusion", ["Rien de suspect.", "À revoir."])],
    )
    found = read_report(data)
    assert found.title == "Compte rendu d'imagerie"
    assert found.lines == (
        Line(0, "Indications", ""),
        Line(1, "Constatation", "Toux depuis l'été."),
        Line(0, "Conclusion", ""),
        Line(1, "Constatation", "Rien de suspect."),
        Line(1, "Constatation", "À revoir."),
    )


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (item("TEXT", "x", TextValue="deux\r\nlignes"), "deux\r\nlignes"),
        (item("CODE", "x", ConceptCodeSequence=[code("T1", "SRT", "Poumon")]), "Poumon"),
        (item("NUM", "x", MeasuredValueSequence=[measured("12.5", "mm")]), "12.5 mm"),
        (item("NUM", "x", MeasuredValueSequence=[measured("3", "1")]), "3"),
        (item("NUM", "x", MeasuredValueSequence=[]), ""),
        (item("PNAME", "x", PersonName="ROUÉ^Éloi^^Dr"), "ROUÉ Éloi Dr"),
        (item("DATE", "x", Date="20260103"), "03/01/2026"),
        (item("TIME", "x", Time="101500"), "10:15"),
        (item("DATETIME", "x", DateTime="20260103101500"), "03/01/2026 10:15"),
        (item("UIDREF", "x", UID="2.25.1"), ""),
        (item("IMAGE", "x"), ""),
    ],
)
def test_each_type_of_value(content: Dataset, value: str) -> None:
    assert read_report(report(content)).lines == (Line(0, "x", value),)


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT_BIG, DEFLATED])
def test_every_way_of_writing_it_reads_the_same(syntax: str) -> None:
    content = item("CONTAINER", "Été", ContentSequence=[item("TEXT", "là", TextValue="çà")])
    assert read_report(report(content, syntax=syntax)) == read_report(report(content))
    assert read_report(report(content, syntax=syntax)).lines[1] == Line(1, "là", "çà")


def test_an_item_without_name_and_value_does_not_indent() -> None:
    inner = item("TEXT", "a", TextValue="b")
    assert read_report(report(item("CONTAINER", ContentSequence=[inner]))).lines == (
        Line(0, "a", "b"),
    )


def test_an_item_may_declare_its_own_character_set() -> None:
    inner = item("TEXT", "n", TextValue="Ωμέγα")
    inner.SpecificCharacterSet = "ISO_IR 126"
    assert read_report(report(inner)).lines == (Line(0, "n", "Ωμέγα"),)


def test_depth_is_bounded() -> None:
    content = item("TEXT", "leaf", TextValue="v")
    for _ in range(sr.MAX_DEPTH):
        content = item("CONTAINER", "h", ContentSequence=[content])
    with pytest.raises(FormatError, match="32 deep"):
        read_report(report(content))


def test_lines_are_bounded() -> None:
    content = [item("TEXT", "n", TextValue="v") for _ in range(sr.MAX_LINES + 1)]
    assert len(read_report(report(*content[1:])).lines) == sr.MAX_LINES
    with pytest.raises(FormatError, match="too long"):
        read_report(report(*content))


def test_characters_are_bounded() -> None:
    with pytest.raises(FormatError, match="too long"):
        read_report(report(item("TEXT", "n", TextValue="v" * sr.MAX_CHARACTERS)))


def test_a_picture_is_no_report() -> None:
    with pytest.raises(FormatError, match="not a structured report"):
        read_report(ultrasound(STUDY, Place(1, 1)))


@given(st.data())
def test_damage_is_a_format_error_and_nothing_else(data: st.DataObject) -> None:
    whole = bytearray(text_report(STUDY, Place(1, 1), [("findings", ["Une phrase."])]))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(132, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(132, len(whole)))
    with contextlib.suppress(FormatError):
        read_report(bytes(whole[:cut]))
