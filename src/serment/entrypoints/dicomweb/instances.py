"""The instances that an address names, each as a DICOM file that can be read anywhere.

What was stored comes as it is. A PDF that was handed over by itself gets the header it lacks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from starlette.requests import Request

from serment.app.protect.objects import ObjectReader
from serment.core.dicom import uids
from serment.core.dicom.encapsulated import DOCUMENT, Wrapping, wrap_pdf
from serment.core.dicom.json import metadata
from serment.entrypoints.dicomweb.answers import warning
from serment.entrypoints.dicomweb.callers import Caller
from serment.errors import N_, AccessDenied, Conflict, FormatError, NotFound
from serment.ports import InstanceRow, Matches

LEVELS = ("study", "series", "instance")
SEVERAL = "objects of several patients came with this UID: each says whose it is"
TWICE = "objects of different content came with this SOP Instance UID"
IDENTITY = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "AccessionNumber", "StudyID", "ReferringPhysicianName"),
)


def uids_of(request: Request) -> dict[str, str]:
    """The UIDs of the address, by level. `FormatError` for what is none."""
    found = {level: request.path_params[level] for level in LEVELS if level in request.path_params}
    if not all(uids.is_uid(uid) for uid in found.values()):
        raise FormatError(N_("a UID of the address is not valid"))
    return found


def named(caller: Caller, request: Request) -> list[InstanceRow]:
    """The instances the address names, in the order of study, series and number.

    Raises:
        AccessDenied: the session holds no care circle. NotFound: there is none it could open.
    """
    wanted: dict[str, Any] = {f"{level}_uids": (uid,) for level, uid in uids_of(request).items()}
    caller.desk.practice.refresh()
    found = caller.reading.instances(Matches(**wanted))
    if not found:
        raise NotFound(N_("there is no such study, series or instance"))
    return found


def warnings_of(caller: Caller, request: Request, rows: Sequence[InstanceRow]) -> dict[str, str]:
    """The headers that say what a UID does not tell apart: whose the objects are, which of several
    was meant. Each object says itself whose it is."""
    found = [SEVERAL] if _of_several(caller, rows) else []
    if "instance" in request.path_params and len(rows) > 1:
        found.append(TWICE)
    return {"Warning": ", ".join(map(warning, found))} if found else {}


def of_one_patient(caller: Caller, request: Request) -> list[InstanceRow]:
    """As `named`, for answers that do not say whose they are: pictures, frames, values.

    Raises:
        Conflict: the objects are of several patients.
    """
    rows = named(caller, request)
    if _of_several(caller, rows):
        raise Conflict(
            N_("objects of several patients came with this UID"),
            hint=N_("fetch the objects themselves: each says whose it is"),
        )
    return rows


def _of_several(caller: Caller, rows: Sequence[InstanceRow]) -> bool:
    envelopes = {row.envelope for row in rows}
    return len(envelopes) > 1 and len(set(caller.searching.people(envelopes).values())) > 1


def stored_syntax(row: InstanceRow) -> str:
    """The transfer syntax an instance is served in."""
    return str(row.attributes.get("AvailableTransferSyntaxUID") or uids.EXPLICIT_LITTLE)


class Instance:
    """One instance as a DICOM file; used by one thread at a time."""

    __slots__ = ("_reader", "_wrapping", "row")

    def __init__(self, row: InstanceRow, reader: ObjectReader, wrapping: Wrapping | None) -> None:
        self.row = row
        self._reader, self._wrapping = reader, wrapping

    @property
    def attributes(self) -> dict[str, Any]:
        return self.row.attributes

    @property
    def size(self) -> int:
        """Bytes of the file, as its authenticated record says."""
        size = int(self.row.attributes["size"])
        return size if self._wrapping is None else size + sum(map(len, self._wrapping))

    @property
    def header_size(self) -> int:
        """Bytes of the file in front of the pixel data, or of all of it."""
        found = self.row.attributes.get("header_size")
        return min(found, self.size) if isinstance(found, int) else self.size

    def check(self) -> None:
        """Open it now; `IntegrityError` when it is not what was sealed."""
        self._reader.read(0, 1)

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the file, fewer only at its end."""
        if self._wrapping is None:
            return self._reader.read(offset, length)
        return b"".join(self.stream(offset, min(offset + length, self.size)))

    def stream(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The file, or a range of it, in pieces of bounded size; opened at the first of them."""
        if self._wrapping is None:
            yield from self._reader.stream(start, stop)
        else:
            yield from self._around(self._wrapping, start, self.size if stop is None else stop)

    def _around(self, wrapping: Wrapping, start: int, stop: int) -> Iterator[bytes]:
        before, element, after = wrapping
        head = before + element
        document = int(self.row.attributes["size"])
        yield head[start:stop]
        first, last = start - len(head), stop - len(head)
        if first < document and last > 0:
            yield from self._reader.stream(max(first, 0), min(last, document))
        if last > document:
            yield after[max(first - document, 0) : last - document]

    def metadata(self, bulk_uri: str, memo: dict[Any, Any]) -> dict[str, Any]:
        """All attributes in the DICOM JSON model, large values by address."""
        if self._wrapping is None:
            return metadata(self.read(0, self.header_size), bulk_uri, memo)
        before, _element, after = self._wrapping
        found = metadata(before + after[int(self.row.attributes["size"]) % 2 :], bulk_uri, memo)
        found[DOCUMENT] = {"vr": "OB", "BulkDataURI": f"{bulk_uri}/{DOCUMENT}"}
        return dict(sorted(found.items()))


def opened(caller: Caller, rows: Sequence[InstanceRow], kind: str) -> list[Instance]:
    """These instances, once the journal names them; errors as `Reading.open`."""
    readers = caller.reading.open(rows, kind)
    return [
        Instance(row, reader, _wrapping(caller, row))
        for row, reader in zip(rows, readers, strict=True)
    ]


def opened_in_series(caller: Caller, row: InstanceRow, kind: str) -> Instance:
    """One instance of which the others of its series will be wanted next, too."""
    return Instance(row, caller.reading.open_one_of_series(row, kind), _wrapping(caller, row))


def _wrapping(caller: Caller, row: InstanceRow) -> Wrapping | None:
    if "AvailableTransferSyntaxUID" in row.attributes:
        return None
    return wrap_pdf({**row.attributes, **_identity(caller, row)}, int(row.attributes["size"]))


def _identity(caller: Caller, row: InstanceRow) -> dict[str, Any]:
    """Whom an instance belongs to, as far as the session may know it."""
    try:
        study = caller.searching.study(row.envelope)
    except AccessDenied:
        return {}
    attributes = caller.identified(study) if study else {}
    return {name: attributes[name] for name in IDENTITY if name in attributes}
