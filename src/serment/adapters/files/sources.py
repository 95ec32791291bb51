"""Finds what can be imported: files of folders, DICOMDIR sets, members of zip archives.

Reads only the first bytes to tell DICOM (PS3.10 7.1) from PDF from anything else; nothing is
unpacked to disk. Bounded: archives inside archives are refused, lying sizes are found out while
reading.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from serment.core.dicom import dicomdir
from serment.errors import N_, FormatError, SermentError, Unavailable

CHUNK = 1024 * 1024
MAX_MEMBERS = 100_000
MAX_MEMBER_BYTES = 16 * 1024**3
MAX_RATIO = 200  # of a member; real images compress 2 to 20 times
SMALL = 10 * 1024 * 1024  # below, a high ratio is harmless
READ = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what other methods need in memory has no bound
DAMAGED = N_("this member of the archive is damaged")
_ERRORS = (  # what zipfile meets in an archive that somebody made or broke
    zipfile.BadZipFile,
    OSError,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    zlib.error,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class Found:
    """One object to import."""

    label: str  # as typed, or archive and member
    title: str
    is_pdf: bool
    chunks: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Refused:
    label: str
    reason: str  # message id


def find_sources(paths: Iterable[Path]) -> Iterator[Found | Refused]:
    """Everything that may be imported under these paths, in a stable order."""
    for path in paths:
        if not path.exists():
            yield Refused(str(path), N_("there is no such file or folder"))
        elif path.is_dir():
            for child in sorted(p for p in path.rglob("*") if p.is_file() and not p.is_symlink()):
                yield from _file(child, from_folder=True)
        else:
            yield from _file(path, from_folder=False)


def _file(path: Path, *, from_folder: bool) -> Iterator[Found | Refused]:
    try:
        with path.open("rb") as stream:
            head = stream.read(132)
    except OSError:
        yield Refused(str(path), N_("the file cannot be read"))
        return
    if path.name.upper() == "DICOMDIR":
        if not from_folder:
            yield from _dicomdir(path)
    elif head[:4] == b"PK\x03\x04":
        yield from _archive(path)
    else:
        yield _tell(str(path), path.stem, head, lambda: _read(path))


def _tell(
    label: str, title: str, head: bytes, chunks: Callable[[], Iterator[bytes]]
) -> Found | Refused:
    if head[128:132] == b"DICM":
        return Found(label, title, False, chunks)
    if head.startswith(b"%PDF-"):
        return Found(label, title, True, chunks)
    return Refused(label, N_("neither a DICOM file (PS3.10) nor a PDF document"))


def _read(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                yield chunk
    except OSError as error:
        raise Unavailable(N_("the file cannot be read")) from error


def _dicomdir(path: Path) -> Iterator[Found | Refused]:
    """The files a DICOMDIR names; components are checked by `core.dicom.dicomdir`."""
    try:
        with path.open("rb") as stream:
            directory = dicomdir.read(stream.read(dicomdir.MAX_SIZE))
    except SermentError as error:
        yield Refused(str(path), error.message)
        return
    except OSError:
        yield Refused(str(path), N_("the file cannot be read"))
        return
    if directory.refused:
        yield Refused(str(path), N_("the DICOMDIR names files outside its folder"))
    for components in directory.files:
        target = path.parent.joinpath(*components)
        inside = target.resolve().is_relative_to(path.parent.resolve())
        if inside and target.is_file() and not target.is_symlink():
            yield from _file(target, from_folder=False)
        else:
            yield Refused(str(target), N_("named by the DICOMDIR but not there"))


def _archive(path: Path) -> Iterator[Found | Refused]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            heads = [_head(archive, member) for member in members[:MAX_MEMBERS]]
    except _ERRORS:
        yield Refused(str(path), N_("the zip archive is damaged"))
        return
    if len(members) > MAX_MEMBERS:
        yield Refused(str(path), N_("the zip archive has too many members"))
        return
    for member, head in zip(members, heads, strict=True):
        label = f"{path}!{member.filename}"
        if isinstance(head, str):
            yield Refused(label, head)
        elif Path(member.filename).name.upper() == "DICOMDIR":
            continue
        elif head[:4] == b"PK\x03\x04":
            yield Refused(label, N_("an archive inside an archive is not opened"))
        else:
            title = Path(member.filename).stem
            yield _tell(label, title, head, _member(path, member))


def _head(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes | str:
    """The first bytes of a member, or why it is refused."""
    if member.flag_bits & 1:
        return N_("the archive is protected by a password")
    if member.compress_type not in READ:
        return N_("this member of the archive is compressed in a way that is not read here")
    try:
        with archive.open(member) as stream:
            return stream.read(132)
    except _ERRORS:
        return DAMAGED


def _member(path: Path, member: zipfile.ZipInfo) -> Callable[[], Iterator[bytes]]:
    def chunks() -> Iterator[bytes]:
        try:
            packed = min(member.compress_size, path.stat().st_size)  # whatever the archive says
            with zipfile.ZipFile(path) as archive, archive.open(member) as stream:
                yield from _bounded(stream, packed)
        except _ERRORS as error:
            raise FormatError(DAMAGED) from error

    return chunks


def _bounded(stream: IO[bytes], packed: int) -> Iterator[bytes]:
    size = 0
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > MAX_MEMBER_BYTES or (size > SMALL and size > MAX_RATIO * max(packed, 1)):
            raise FormatError(N_("this member of the archive grows beyond what is credible"))
        yield chunk
