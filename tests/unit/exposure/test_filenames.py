"""Files are classed by name: extracts and images are found, programs are not."""

from __future__ import annotations

import unicodedata
from typing import Literal

import pytest

from serment.core.exposure.filenames import OTHER, classify, count_classes, sounds_medical


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


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("node1-backup.sql.gz", "archive"),
        ("export-win32-2019.zip", "archive"),
        ("windows_backup_2021.vhd", "archive"),
        ("install_base_2020.bak", "database"),
        ("dump-release-2021.sql", "database"),
        ("source-2019.mdb", "database"),
        ("setup_cabinet.sql", "database"),
        ("serveur-linux.bak", "database"),
        ("lib_export.sql", "database"),
        ("export-2021-win.hl7", "database"),
        ("src_2021.cda", "database"),
        ("release.hl7", "database"),
        ("package.hprim", "database"),
    ],
)
def test_an_extract_made_with_a_program_is_an_extract(name: str, kind: str) -> None:
    assert classify(name) == kind


PEOPLE = [
    *("LEFÈVRE Hélène.pdf", "Martin_Zoe.pdf", "martin zoe.pdf", "MartinZoe.docx", "Martin-Zoé.pdf"),
    *(
        "jean-luc exemple.odt",
        "Nguyen_Linh.pdf",
        "12345678.pdf",
        "1570499999123.pdf",
        "DUPONT JEAN.pdf",
        "ZOÉ.pdf",
    ),
]
ANYBODYS = [
    *(
        "setup-1.2.3.zip",
        "driver-2019.zip",
        "firmware_20210405.zip",
        "win10-2019.iso",
        "theme.sql",
        "SETUP.bak",
    ),
    *(
        "node-v18.2.0-linux-x64.tar.gz",
        "python-3.11.2-amd64.zip",
        "Serment-manual.pdf",
        "README.pdf",
    ),
    *("Conditions Generales.pdf", "Conditions Générales 2023.pdf", "Guide Installation.pdf"),
    *(
        "catalogue 2024.pdf",
        "tarifs 2024.xlsx",
        "price-list-2024.csv",
        "Manuel utilisateur 2023.pdf",
    ),
    *(
        "TARIFS.pdf",
        "user manual.pdf",
        "Rapport Annuel.pdf",
        "statuts.pdf",
        "1234567.pdf",
        "zoe.pdf",
    ),
    *("12345678.zip", "martin zoe.zip", "LOGO.pdf", "FORMULAIRE.pdf", "DUPONT.pdf", "logo.pdf"),
]


@pytest.mark.parametrize("name", PEOPLE)
def test_documents_of_people_are_told_whatever_letters_they_are_in(name: str) -> None:
    assert classify(name) == "document"
    assert classify(unicodedata.normalize("NFD", name)) == "document"  # as macOS writes it


@pytest.mark.parametrize("name", ["ÉVRARD Ücler.zip", "ŞAHİN Çelâl.zip", "Résultats.xlsx"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_hide_nothing(name: str, form: Literal["NFC", "NFD"]) -> None:
    assert classify(unicodedata.normalize(form, name)) not in (None, OTHER)


@pytest.mark.parametrize("name", ANYBODYS)
def test_what_anybody_may_download_is_not_health_data(name: str) -> None:
    assert classify(name) in (None, OTHER)


@pytest.mark.parametrize(
    "name", ["rdv.csv", "agenda.xlsx", "planning.csv", "mutuelle.csv", "facturation.xlsx"]
)
def test_tables_of_a_practice_s_day(name: str) -> None:
    assert classify(name) == "table"


def test_only_numbers_remain() -> None:
    names = ["a.dcm", "b.dcm", "DUPONT Jean.pdf", "style.css"]
    assert count_classes(names) == {"dicom": 2, "document": 1}
    assert count_classes([]) == {}


def test_folders_that_speak_of_patients() -> None:
    assert sounds_medical("Radiologie/")
    assert not sounds_medical("css/")
