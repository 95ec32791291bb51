"""Reads which files a DICOMDIR refers to.

It decides only the names: relative, inside the folder of the DICOMDIR, one component a folder.
Opening them is the importer's work. Source: DICOM PS3.3 Annex F and PS3.10 section 8.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from serment.core.dicom.elements import Budget, items
from serment.core.dicom.part10 import read_meta
from serment.core.dicom.walker import Bytes, walk
from serment.errors import N_, FormatError

FileId: TypeAlias = tuple[str, ...]

DIRECTORY_CLASS: Final = "1.2.840.10008.1.3.10"  # Media Storage Directory Storage
MAX_SIZE: Final = 64 << 20  # bytes of a DICOMDIR
_RECORDS: Final = 0x00041220
_FILE_ID: Final = 0x00041500
# PS3.10 8.2 allows capitals, digits and underscore, 8 components of 8; real discs are laxer, and
# what matters is that a component cannot lead elsewhere: no dot in front, no separator, no drive.
_COMPONENT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_MAX_COMPONENTS: Final = 16


@dataclass(frozen=True, slots=True)
class Directory:
    """The files a DICOMDIR refers to, in its order, and how many references were refused."""

    files: tuple[FileId, ...]
    refused: int


def read(data: Bytes) -> Directory:
    """Read a DICOMDIR.

    Raises:
        FormatError: not a DICOM file, or not a DICOMDIR.
    """
    meta = read_meta(data)
    if meta.sop_class and meta.sop_class != DIRECTORY_CLASS:
        raise _not_one()
    view = memoryview(data)[meta.dataset_offset :]
    header = walk(view, meta.transfer_syntax, limit=MAX_SIZE)
    if _RECORDS not in header.elements:
        raise _not_one()
    found: dict[FileId, None] = {}
    refused = 0
    for _order, record in items(header.elements[_RECORDS][1], header.syntax, Budget()):
        value = record.get(_FILE_ID, ("CS", b""))[1]
        if not value.strip(b" \0"):
            continue  # a patient, a study, a series: no file of its own
        file_id = _file_id(value)
        if file_id is None:
            refused += 1
        else:
            found[file_id] = None
    return Directory(tuple(found), refused)


def _file_id(value: bytes) -> FileId | None:
    parts = tuple(p.strip(" \0") for p in value.decode("ascii", errors="replace").split("\\"))
    if len(parts) > _MAX_COMPONENTS or not all(_COMPONENT.fullmatch(part) for part in parts):
        return None
    return parts


def _not_one() -> FormatError:
    return FormatError(N_("this DICOM file is not a DICOMDIR"))
