"""Pictures for the pages: a frame is cut out without identity, rendered by the decoder, kept.

The journal is written first: the whole series is named at its first picture, because the viewer
fetches the next ones by itself.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from serment.app.protect.reading import no_key
from serment.core.dicom.excerpt import excerpt
from serment.core.records.vault import EnvelopeKind
from serment.entrypoints.kept import Kept
from serment.entrypoints.web.practice.series import object_kind
from serment.entrypoints.web.practice.visit import Visit
from serment.entrypoints.web.views import Picture
from serment.ports import Decoder, InstanceRow

THUMBNAIL_PIXELS = 160
AT_ONCE = 4  # objects held in memory while they are rendered


@dataclass(frozen=True, slots=True)
class _Wanted:
    """How a frame is to be shown."""

    frame: int  # from 1
    window: tuple[float, float] | None  # centre and width; None as the object says
    size: int | None  # pixels of the longer side; None as it is
    image_type: str  # "png" or "jpeg"


@dataclass(slots=True)
class Frames:
    """Renders and keeps pictures; one for the process, called from many threads."""

    decoder: Decoder
    kept: Kept
    _under_way: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(AT_ONCE)
    )

    def thumbnail(self, visit: Visit, object_id: str) -> Picture:
        """A small picture of an object: its middle frame."""
        row = _picture_row(visit, object_id)
        frames = row.attributes.get("NumberOfFrames")
        middle = frames // 2 + 1 if isinstance(frames, int) and frames > 1 else 1
        visit.reading.allow([row], "thumbnail")
        return self._shown(visit, row, _Wanted(middle, None, THUMBNAIL_PIXELS, "jpeg"), "thumbnail")

    def frame(
        self,
        visit: Visit,
        object_id: str,
        frame: int,
        window: tuple[float, float] | None,
        size: int | None,
    ) -> Picture:
        """One frame as the viewer asks for it."""
        row = _picture_row(visit, object_id)
        visit.reading.allow_series(row, "image")
        return self._shown(visit, row, _Wanted(frame, window, size, "png"), "image")

    def _shown(self, visit: Visit, row: InstanceRow, wanted: _Wanted, kind: str) -> Picture:
        key = (row.object, wanted)
        turn, data = self.kept.turn(), self.kept.get(row.circle, key)
        if data is None:
            data = self._rendered(visit, row, wanted, kind)
            self.kept.put(row.circle, key, data, turn)
        return Picture(data, f"image/{wanted.image_type}")

    def _rendered(self, visit: Visit, row: InstanceRow, wanted: _Wanted, kind: str) -> bytes:
        with self._under_way:
            (reader,) = visit.reading.open([row], kind)
            part10 = excerpt(reader.read, row.attributes, wanted.frame)
            return self.decoder.render(
                part10,
                1,
                size=wanted.size,
                window=wanted.window,
                image_type=wanted.image_type,
            )


def _picture_row(visit: Visit, object_id: str) -> InstanceRow:
    row = visit.reading.object_row(object_id)
    if object_kind(row) is not EnvelopeKind.IMAGE:
        raise no_key()
    return row
