"""Series, images and their windows, from the clinical index records of one study."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from serment.core.dicom.uids import kind_of
from serment.core.records.vault import EnvelopeKind, ObjectState
from serment.entrypoints.web.views import Image, Series
from serment.ports import InstanceRow


def series_of(rows: Iterable[InstanceRow]) -> Iterator[Series]:
    grouped: dict[str, list[InstanceRow]] = {}
    for row in rows:
        grouped.setdefault(row.series_uid, []).append(row)
    for group in grouped.values():
        first = group[0].attributes
        yield Series(
            number=_number(first, "SeriesNumber"),
            modality=str(first.get("Modality", "")),
            description=str(first.get("SeriesDescription") or first.get("ProtocolName") or ""),
            body_part=str(first.get("BodyPartExamined", "")),
            kind=object_kind(group[0]),
            images=tuple(_image(row) for row in group),
        )


def object_kind(row: InstanceRow) -> EnvelopeKind:
    """Image, report or document, by its SOP class."""
    return EnvelopeKind(kind_of(str(row.attributes.get("SOPClassUID", ""))))


def _image(row: InstanceRow) -> Image:
    attributes = row.attributes
    return Image(
        object=row.object,
        frames=max(1, _number(attributes, "NumberOfFrames") or 1),
        rows=_number(attributes, "Rows") or 0,
        columns=_number(attributes, "Columns") or 0,
        window=window_of(attributes),
        flagged=row.state == ObjectState.CONFLICT,
    )


def _number(attributes: Mapping[str, Any], keyword: str) -> int | None:
    value = attributes.get(keyword)
    return value if isinstance(value, int) else None


def window_of(attributes: Mapping[str, Any]) -> tuple[float, float] | None:
    """Centre and width of a grey picture: its own, or the middle of what its bits can say
    (PS3.3 C.11.2.1.2); None for colour."""
    grey = str(attributes.get("PhotometricInterpretation", "")).startswith("MONOCHROME")
    if not grey or not attributes.get("Rows"):
        return None
    centre, width = (_decimal(attributes.get(k)) for k in ("WindowCenter", "WindowWidth"))
    if centre is not None and width is not None and width > 0:
        return centre, width
    bits = min(_number(attributes, "BitsStored") or 8, 32)
    lowest = -(1 << bits - 1) if attributes.get("PixelRepresentation") == 1 else 0
    slope = _decimal(attributes.get("RescaleSlope")) or 1.0
    intercept = _decimal(attributes.get("RescaleIntercept")) or 0.0
    return (lowest + (1 << bits) / 2) * slope + intercept, (1 << bits) * abs(slope)


def _decimal(value: object) -> float | None:
    """A decimal string (PS3.5 6.2, DS), the first of several."""
    first = value[0] if isinstance(value, list) and value else value
    with suppress(ValueError, TypeError):
        found = float(str(first)[:32])
        return found if abs(found) < 1e9 else None
    return None


def title_of(row: InstanceRow) -> str:
    """What a document or study calls itself."""
    found = row.attributes.get("SeriesDescription") or row.attributes.get("StudyDescription")
    return str(found or "")
