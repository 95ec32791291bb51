"""Splits a header into what says who the patient is and what says what was seen.

The two lists are the compartments of the vault: the identity list is sealed for the secretariat,
the clinical one for the care circle. UIDs of the study and its modality stand in both, because
either side must find its own rows. Sealing is not decided here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from struct import Struct
from typing import Any, Final, TypeAlias

from serment.core.dicom.part10 import Meta
from serment.core.dicom.text import decode as decode_text
from serment.core.dicom.text import encodings_of
from serment.core.dicom.values import integer
from serment.core.dicom.walker import Header
from serment.errors import N_, FormatError

IDENTITY: Final = {
    "PatientName": 0x00100010,
    "PatientID": 0x00100020,
    "IssuerOfPatientID": 0x00100021,
    "OtherPatientIDs": 0x00101000,
    "PatientBirthDate": 0x00100030,
    "PatientSex": 0x00100040,
    "AccessionNumber": 0x00080050,
    "StudyInstanceUID": 0x0020000D,
    "StudyDate": 0x00080020,
    "StudyTime": 0x00080030,
    "StudyID": 0x00200010,
    "Modality": 0x00080060,
    "ReferringPhysicianName": 0x00080090,
    "InstitutionName": 0x00080080,
}
"""What an identity header holds (DICOM PS3.3 C.7.1.1 and C.7.2.1), keyword to tag."""

CLINICAL: Final = {
    "SOPClassUID": 0x00080016,
    "SOPInstanceUID": 0x00080018,
    "StudyInstanceUID": 0x0020000D,
    "SeriesInstanceUID": 0x0020000E,
    "Modality": 0x00080060,
    "SeriesNumber": 0x00200011,
    "InstanceNumber": 0x00200013,
    "StudyDescription": 0x00081030,
    "SeriesDescription": 0x0008103E,
    "ProtocolName": 0x00181030,
    "BodyPartExamined": 0x00180015,
    "SeriesDate": 0x00080021,
    "SeriesTime": 0x00080031,
    "ContentDate": 0x00080023,
    "Rows": 0x00280010,
    "Columns": 0x00280011,
    "NumberOfFrames": 0x00280008,
    "SamplesPerPixel": 0x00280002,
    "BitsAllocated": 0x00280100,
    "BitsStored": 0x00280101,
    "PixelRepresentation": 0x00280103,
    "PhotometricInterpretation": 0x00280004,
    "PlanarConfiguration": 0x00280006,
    "WindowCenter": 0x00281050,
    "WindowWidth": 0x00281051,
    "RescaleSlope": 0x00281053,
    "RescaleIntercept": 0x00281052,
}
"""What a clinical header holds besides the facts `split` adds, keyword to tag."""

MAX_TEXT: Final = 1024  # characters kept of one value; DICOM allows 64 for most of these

_LISTS: Final = frozenset({"OtherPatientIDs"})
_SEVERAL: Final = frozenset({"WindowCenter", "WindowWidth"})  # a list when there is more than one
_INTEGERS: Final = frozenset({"SeriesNumber", "InstanceNumber", "NumberOfFrames"})
_SHORTS: Final = frozenset(
    (
        *("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "BitsStored"),
        *("PixelRepresentation", "PlanarConfiguration"),
    )
)
_NAMES: Final = frozenset({"PatientName", "ReferringPhysicianName"})
Reader: TypeAlias = Callable[[bytes, tuple[str, ...], bool], str | int | list[str] | None]
"""Reads a value: its bytes, the encodings of its text, whether it is little endian."""
_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_LITTLE: Final = Struct("<H")
_BIG: Final = Struct(">H")


def split(header: Header, meta: Meta) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the identity and the clinical attributes: keyword to str, int or list of str.

    An absent, empty or unusable value has no key. The clinical ones also say the transfer syntax
    (`AvailableTransferSyntaxUID`) and `header_size`: the bytes of the file in front of the pixel
    value. The caller adds `size`, the bytes of the whole file.
    """
    encodings = encodings_of(header.charset)
    identity = _decoded(_READ_IDENTITY, header, encodings)
    clinical = _decoded(_READ_CLINICAL, header, encodings)
    clinical["AvailableTransferSyntaxUID"] = meta.transfer_syntax
    clinical["header_size"] = meta.dataset_offset + header.size
    return identity, clinical


def _decoded(
    wanted: dict[str, tuple[int, Reader]], header: Header, encodings: tuple[str, ...]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    element_of, little = header.elements.get, header.syntax.little
    for keyword, (tag, read) in wanted.items():
        element = element_of(tag)
        if element is not None and element[1]:
            value = read(element[1], encodings, little)
            if value is not None and value != "":
                found[keyword] = value
    return found


def _uid(value: bytes, _encodings: tuple[str, ...], _little: bool) -> str:
    """A UID as it was sent but for its padding: in no character set, and nothing is left out of it,
    or two could become one (PS3.5 9.1). Whether it is one, the caller looks."""
    return value.decode("ascii", errors="replace").strip("\0 ")[:MAX_TEXT]


def _short(value: bytes, _encodings: tuple[str, ...], little: bool) -> int | None:
    if len(value) < 2:
        return None
    number: int = (_LITTLE if little else _BIG).unpack_from(value)[0]
    return number


def _text(value: bytes, encodings: tuple[str, ...], _little: bool) -> str:
    return decode_text(value, encodings)[:MAX_TEXT]


def _name(value: bytes, encodings: tuple[str, ...], _little: bool) -> str:
    return decode_text(value, encodings, "PN")[:MAX_TEXT]


def _integer(value: bytes, encodings: tuple[str, ...], little: bool) -> int | None:
    return integer(_text(value, encodings, little))


def _list(value: bytes, encodings: tuple[str, ...], little: bool) -> list[str] | None:
    return _parts(_text(value, encodings, little))


def _several(value: bytes, encodings: tuple[str, ...], little: bool) -> str | list[str] | None:
    text = _text(value, encodings, little)
    return _parts(text) if "\\" in text else text


def _parts(text: str) -> list[str] | None:
    values = [part.strip() for part in text.split("\\")]
    return [part for part in values if part] or None


def _reader(keyword: str) -> Reader:
    if keyword in _SHORTS:
        return _short
    if keyword.endswith("UID"):
        return _uid
    if keyword in _INTEGERS:
        return _integer
    if keyword in _NAMES:
        return _name
    if keyword in _SEVERAL:
        return _several
    return _list if keyword in _LISTS else _text


_READ_IDENTITY: Final = {name: (tag, _reader(name)) for name, tag in IDENTITY.items()}
_READ_CLINICAL: Final = {name: (tag, _reader(name)) for name, tag in CLINICAL.items()}


def encode(attributes: dict[str, Any]) -> bytes:
    """Return the attributes as compact JSON, in the order given, UTF-8."""
    return _JSON.encode(attributes).encode("utf-8", errors="replace")


def decode(data: bytes) -> dict[str, Any]:
    """Return the attributes `encode` wrote.

    Raises:
        FormatError: not JSON, or not an object.
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise FormatError(N_("a sealed header does not hold a list of attributes"))
    return found
