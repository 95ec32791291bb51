"""Documents: readable text, archival form, no injection, no system font, no file on disk."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from pypdf import PdfReader
from shamir_mnemonic.wordlist import WORDLIST

from serment.adapters.documents.kit import qr_svg, render_kit_share
from serment.adapters.documents.typesetting import Typst, packaged
from serment.entrypoints.formats import typographic
from serment.errors import NotFound, SermentError

AT = datetime(2026, 11, 1, 9, tzinfo=UTC)
WORDS = WORDLIST[100:133]
HOSTILE = '#panic("x") ] $x$ *b* <a> \\u{41} "q" // `c`'
LETTER = {
    "language": "fr",
    "practice": "Cabinet Lefèvre",
    "at": AT.isoformat(),
    "title": "Objet",
    "recipient": ["Mme Zoé Exemple", "1 rue du Test"],
    "paragraphs": ["Bonjour.", "Au revoir."],
    "signature": "Dr Exemple",
}


def share(language: str = "fr", practice: str = "Cabinet Lefèvre", number: int = 2) -> bytes:
    return render_kit_share(
        Typst(),
        language=language,
        practice=practice,
        vault="0123456789abcdef" * 2,
        at=AT,
        number=number,
        words=WORDS,
        fingerprint=WORDLIST[:8],
    )


def text(pdf: bytes) -> str:
    pages = (page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return re.sub(r"\s+", " ", " ".join(pages))


@pytest.mark.parametrize("name", ["日本語", "שלום", "السلام", "😀"])
def test_a_practice_may_be_called_in_any_script(name: str) -> None:
    """Typst refuses, or panics at, what its fonts lack: a kit that cannot be made founds nothing."""
    assert re.search(r"Cabinet \?+ Exemple", text(share(practice=f"Cabinet {name} Exemple")))


def test_a_share_says_what_it_is_and_what_to_do() -> None:
    said = text(share())
    for wanted in ("Cabinet Lefèvre", "Part 2 sur 3", "0123456789abcdef" * 2, "novembre 2026"):
        assert wanted in said
    assert "serment recover SHARE SHARE -o DIR" in said
    assert " ".join(WORDLIST[:8]) in said
    english = text(share("en", number=3))
    assert "Share 3 of 3" in english
    assert "1 November 2026" in english


def test_a_share_holds_every_word_with_its_number() -> None:
    said = text(share())
    for number, word in enumerate(WORDS, 1):
        assert f" {number} {word} " in f" {said} "


def test_a_share_fits_on_one_sheet() -> None:
    assert len(PdfReader(io.BytesIO(share())).pages) == 1


def test_documents_are_archival_and_accessible() -> None:
    reader = PdfReader(io.BytesIO(share()))
    described = reader.trailer["/Root"]["/Metadata"].get_data().decode()
    assert re.search(r"pdfaid:part[^0-9]*2\b", described)
    assert re.search(r"pdfaid:conformance[^AB]*A\b", described)
    assert "pdfuaid:part" in described
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.trailer["/Root"]["/Lang"] == "fr-FR"


def fonts(pdf: bytes) -> list[Any]:
    found = []
    for page in PdfReader(io.BytesIO(pdf)).pages:
        for font in page["/Resources"]["/Font"].values():
            found.extend(below.get_object() for below in font.get_object()["/DescendantFonts"])
    return found


def test_every_font_is_embedded() -> None:
    descriptors = [font["/FontDescriptor"] for font in fonts(share())]
    assert descriptors
    for descriptor in descriptors:
        assert {"/FontFile2", "/FontFile3"} & set(descriptor)


def test_data_is_text_and_never_markup() -> None:
    assert HOSTILE in text(share(practice=HOSTILE))
    letter = Typst().render("letter", {**LETTER, "paragraphs": [HOSTILE], "title": HOSTILE})
    assert text(letter).count(HOSTILE) == 2


def test_a_letter_carries_its_parts() -> None:
    said = text(Typst().render("letter", LETTER))
    for wanted in ("Cabinet Lefèvre", "Mme Zoé Exemple", "Objet", "Au revoir.", "page 1 sur 1"):
        assert wanted in said


def test_the_same_data_gives_the_same_bytes() -> None:
    assert share() == share()


@pytest.mark.parametrize("template", ["nothing", "../secret", "base/../letter", ""])
def test_only_packaged_templates_exist(template: str) -> None:
    with pytest.raises(NotFound):
        Typst().render(template, LETTER)


@pytest.mark.parametrize("lacking", ["language", "at", "paragraphs"])
def test_data_that_does_not_fit_is_refused_without_quoting_it(lacking: str) -> None:
    data = {key: value for key, value in LETTER.items() if key != lacking}
    with pytest.raises(SermentError) as caught:
        Typst().render("letter", data)
    assert "Exemple" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_templates_fetch_nothing_and_speak_both_languages() -> None:
    sources = {name: source.decode() for name, source in packaged().items()}
    assert not [name for name, source in sources.items() if "@" in source or "://" in source]
    french, english = sources["kit-words.typ"].split("  en: (")
    keys = re.compile(r"^ {4}([a-z-]+):", re.MULTILINE)
    assert keys.findall(french) == keys.findall(english)
    assert [said for said in re.findall(r'"([^"]*)"', french) if said != typographic(said)] == []


def test_the_code_holds_the_words() -> None:
    picture = qr_svg(" ".join(WORDS))
    assert picture.startswith("<?xml")
    assert "<svg" in picture
    assert qr_svg("other") != picture


IN_MEMORY = """
import resource, sys
from datetime import UTC, datetime
from serment.adapters.documents.kit import render_kit_share
from serment.adapters.documents.typesetting import Typst
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
pdf = render_kit_share(Typst(), language="fr", practice="C", vault="v", at=datetime(2026, 1, 1,
    tzinfo=UTC), number=1, words=["academic"] * 33, fingerprint=["acid"] * 8)
try:
    open(sys.argv[1], "wb", buffering=0).write(b"x")
except OSError:
    sys.stdout.write(str(len(pdf)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits are a POSIX thing")
def test_nothing_is_written_to_disk(tmp_path: Any) -> None:
    """The child may not write one byte to any file, and proves that the limit holds."""
    done = subprocess.run(
        [sys.executable, "-c", IN_MEMORY, tmp_path / "control"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10_000
