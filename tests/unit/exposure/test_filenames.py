"""Files are classed by name: extracts and images are found, programs are not."""

from __future__ import annotations

import pytest

from serment.core.exposure.filenames import classify, count_classes, sounds_medical


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("scan.dcm", "dicom"),
        ("DICOMDIR", "dicom"),
        ("IM000012", "dicom"),
        ("1.2.840.113619.2.55.3.2831", "dicom"),
        ("CT.1.2.840.113619.2.55.3.2831.dcm", "dicom"),
        ("export_patients_2019.csv", "table"),
        ("Résultats.XLSX", "table"),
        ("backup-2020.sql", "database"),
        ("oru.hl7", "database"),
        ("sauvegarde.sql.gz", "archive"),
        ("dossiers.zip", "archive"),
        ("radio/2020/compte rendu.pdf", "document"),
        ("patients.txt", "document"),
        ("ordonnance_0042.jpg", "document"),
    ],
)
def test_health_files_are_found(name: str, kind: str) -> None:
    assert classify(name) == kind


@pytest.mark.parametrize(
    "name",
    [
        *("index.html", "style.css", "logo.png", "readme.txt", "app.js", "favicon.ico", ""),
        *("setup-1.2.zip", "firmware.zip", "linux-6.1.tar.gz", "thumbs.db", "folder/", ".htaccess"),
        *("1.2.3", "IM1", "x" * 5000),
    ],
)
def test_others_are_nothing(name: str) -> None:
    assert classify(name) is None


@pytest.mark.parametrize(
    "name", ["tarifs.pdf", "plan-acces.pdf", "horaires.csv", "app-2.1.tar.gz", "Menu.docx"]
)
def test_tables_documents_and_archives_may_be_about_anything(name: str) -> None:
    assert classify(name) == "other"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("DUPONT Jean.pdf", "document"),
        ("MARTIN-LEROY_Zoe_irm.pdf", "document"),
        ("CR_0042.doc", "document"),
        ("base.zip", "archive"),
        ("2019-11-03.zip", "archive"),
        ("extraction.csv", "table"),
    ],
)
def test_names_of_people_and_extracts_tell(name: str, kind: str) -> None:
    assert classify(name) == kind


def test_only_numbers_remain() -> None:
    names = ["a.dcm", "b.dcm", "DUPONT.pdf", "style.css"]
    assert count_classes(names) == {"dicom": 2, "document": 1}
    assert count_classes([]) == {}


def test_folders_that_speak_of_patients() -> None:
    assert sounds_medical("Radiologie/")
    assert not sounds_medical("css/")
