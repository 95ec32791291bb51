"""The report on paper: archival, accessible, made whatever script a machine uses."""

from __future__ import annotations

import io
import re
import unicodedata
from dataclasses import replace

import pytest
from pypdf import PdfReader
from tests.unit.entrypoints.test_scan_report import ABOUT, audited, on_paper, read
from tests.unit.exposure.sights import OPEN_FIND, scan, service

from serment.adapters.documents.typesetting import STRANGE as STRANGE_ON_PAPER
from serment.adapters.documents.typesetting import Typst
from serment.core.exposure.text import clean
from serment.entrypoints.reports.paper import paper

STRANGE = [
    "日本語",
    "😀",
    "שלום",
    "السلام",
    "ﷺ",
    "e\u0301",
    "\u0e01\u0e33",
    "क्ष",
    "\ufffd",
    "\U0001f468\u200d\U0001f469",
]


@pytest.mark.parametrize("name", STRANGE)
def test_no_script_of_a_machine_keeps_the_paper_from_being_made(name: str) -> None:
    node = service("dicom", 11112, OPEN_FIND, product=name)
    report = replace(audited(scan(node)), authorised_by=f"Dr {name} Exemple")
    told = replace(report.findings[0], evidence="It is {product}", values={"product": name})
    report = replace(report, findings=(told, *report.findings[1:]))
    sheet = on_paper(paper(Typst(), report, replace(ABOUT, practice=name), "fr"))
    assert re.search(r"Dr (\?+|é) Exemple", sheet)
    assert unicodedata.normalize("NFC", name) in read(report, "fr").said or "\u200d" in name


def test_the_fonts_have_every_character_that_is_printed() -> None:
    """PDF/A has no place for a character without a glyph: typst refuses it."""
    kept = [chr(code) for code in range(0x10000) if not STRANGE_ON_PAPER.match(chr(code))]
    shown = [each for each in kept if clean(each, 1)]
    assert len(shown) > 800
    report = audited(scan(service("dicom", 11112, OPEN_FIND)))
    (one, *rest) = report.findings
    lines = [" ".join(shown[n : n + 200]) for n in range(0, len(shown), 200)]
    stated = tuple(replace(one, evidence="{it}", values={"it": each}) for each in lines)
    assert paper(Typst(), replace(report, findings=(*stated, *rest)), ABOUT, "fr")


def test_paper_is_archival_accessible_and_tells_the_picture() -> None:
    made = paper(Typst(), audited(scan(service("dicom", 11112, OPEN_FIND))), ABOUT, "fr")
    reader = PdfReader(io.BytesIO(made))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"].startswith("fr")
    described = root["/Metadata"].get_data().decode()
    assert "pdfuaid:part" in described
    assert b"/Alt" in made or "/Alt" in str(root["/StructTreeRoot"].get_object())
    assert "Ce que des inconnus peuvent atteindre" in (reader.metadata.title or "")
    assert len(reader.pages) <= 3
