"""Text values under every character set a device may declare, wrongly spelt or not at all."""

from __future__ import annotations

import warnings
from pathlib import Path

import pydicom.data
import pytest
from pydicom import dcmread
from pydicom.charset import encode_string

from serment.core.dicom.part10 import read_meta
from serment.core.dicom.text import decode, encodings_of
from serment.core.dicom.walker import charset_terms, walk

FOLDER = Path(pydicom.data.__file__).parent / "charset_files"


@pytest.mark.parametrize(
    ("charset", "value", "text"),
    [
        ((), b"DUPONT^JEAN ", "DUPONT^JEAN"),
        (("ISO_IR 100",), b"LEF\xc8VRE^H\xe9l\xe8ne", "LEFÈVRE^Hélène"),
        (("ISO_IR 192",), "LEFÈVRE^Hélène".encode(), "LEFÈVRE^Hélène"),
        (("GB18030",), "王^小东".encode("gb18030"), "王^小东"),
        (("GBK",), "王^小东".encode("gbk"), "王^小东"),
        (("ISO_IR 144",), "Люкceмбypг".encode("iso8859-5"), "Люкceмбypг"),
        (("ISO 2022 IR 6", "ISO 2022 IR 100"), b"\x1b-AB\xe9n", "Bén"),
        (
            ("", "ISO 2022 IR 87"),
            b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B",
            "Yamada^Tarou=山田^太郎",
        ),
        # not declared, or declared in no known way
        ((), b"LEF\xc8VRE", "LEFÈVRE"),
        ((), "LEFÈVRE".encode(), "LEFÈVRE"),
        (("ISO-IR 192",), "é".encode(), "é"),
        (("ISO_IR192",), "é".encode(), "é"),
        (("iso_ir 100",), b"\xe9", "é"),
        (("ISO 2022_IR_100", ""), b"\xe9", "é"),
        (("KLINGON",), b"\xe9", "é"),
        # wrongly declared
        (("ISO_IR 192",), b"LEF\xc8VRE", "LEF\ufffdVRE"),
        (("", "ISO 2022 IR 87"), b"A\x1b$Z\xff\xfeB", None),
        (("ISO_IR 100",), b"A\x1b[31mB", "A[31mB"),
    ],
)
def test_text_is_decoded(charset: tuple[str, ...], value: bytes, text: str | None) -> None:
    found = decode(value, encodings_of(charset), "PN")
    assert found == text if text is not None else found.startswith("A")


def test_control_characters_cannot_reach_a_terminal() -> None:
    hostile = b"A\x1b]0;title\x07\x9b2J\x00\x08B\r\n"
    for charset in ((), ("ISO_IR 100",), ("", "ISO 2022 IR 87")):
        assert decode(hostile, encodings_of(charset)).isprintable()
    assert decode(b"one\r\ntwo\x1b", (), "LT") == "one\r\ntwo"


def test_a_backslash_byte_inside_a_character_is_no_separator() -> None:
    word = "乗"  # its GB18030 form ends with the byte of a backslash
    assert decode(word.encode("gb18030"), encodings_of(("GB18030",))) == word


@pytest.mark.parametrize("path", sorted(FOLDER.glob("chr*.dcm")), ids=lambda path: path.name)
def test_the_character_set_files_of_pydicom_give_the_names_pydicom_reads(path: Path) -> None:
    data = path.read_bytes()
    meta = read_meta(data)
    header = walk(data[meta.dataset_offset :], meta.transfer_syntax)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        name = dcmread(path).get("PatientName")
    if name is None:
        return
    value = header.elements[0x00100010][1]
    assert decode(value, encodings_of(header.charset), "PN").rstrip("=") == str(name)


@pytest.mark.parametrize("charset", ["latin_1", "iso8859_2", "iso_ir_126", "euc_kr", "shift_jis"])
def test_code_extensions_written_by_pydicom_are_read_back(charset: str) -> None:
    text = {
        "latin_1": "Éloïse",
        "iso8859_2": "Łukasz",
        "iso_ir_126": "Διονυσιος",
        "euc_kr": "김희중",
        "shift_jis": "ﾔﾏﾀﾞ",
    }[charset]
    term = {
        "latin_1": "100",
        "iso8859_2": "101",
        "iso_ir_126": "126",
        "euc_kr": "149",
        "shift_jis": "13",
    }[charset]
    value = encode_string(text, ["iso8859", charset])
    assert decode(value, encodings_of(("", f"ISO 2022 IR {term}"))) == text


def test_terms_keep_their_places() -> None:
    assert charset_terms(("CS", b"\\ISO 2022 IR 87 ")) == ("", "ISO 2022 IR 87")
    assert encodings_of(("", "ISO 2022 IR 87")) == ("iso8859", "iso2022_jp")
