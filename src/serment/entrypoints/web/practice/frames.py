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
from serment.entrypoints.web.practice.pictures import Pictures
from serment.entrypoints.web.practice.series import object_kind
from serment.entrypoints.web.practice.visit import Visit
from serment.entrypoints.web.views import Picture
from serment.ports import Decoder, InstanceRow

THUMBNAIL_PIXELS = 160
AT_ONCE = 4  # objects held in memory while they are rendered


@dataclass(slots=True)
class Frames:
    """Renders and keeps pictures; one for the process, called from many threads."""

    decoder: Decoder
    pictures: Pictures
    _under_way: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(AT_ONCE)
    )

    def thumbnail(self, visit: Visit, object_id: str) -> Picture:
        """A small picture of an object: its middle frame."""
        row = _picture_row(visit, object_id)
        frames = row.attributes.get("NumberOfFrames")
        middle = frames // 2 + 1 if isinstance(frames, int) and frames > 1 else 1
        visit.reading.allow([row], "thumbnail")
        return self._kept(visit, row, middle, None, THUMBNAIL_PIXELS, "jpeg", "thumbnail")

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
        return self._kept(visit, row, frame, window, size, "png", "image")

    def _kept(
        self,
        visit: Visit,
        row: InstanceRow,
        frame: int,
        window: tuple[float, float] | None,
        size: int | None,
        image_type: str,
        kind: str,
    ) -> Picture:
        key = (row.object, frame, window, size, image_type)
        with visit.house.lock:
            if row.circle in visit.practice.tables:
                self.pictures.open(row.circle)
        found = self.pictures.get(row.circle, key)
        if found is not None:
            return found
        with self._under_way:
            (reader,) = visit.reading.open([row], kind)
            part10 = excerpt(reader.read, row.attributes, frame)
            data = self.decoder.render(part10, 1, size=size, window=window, image_type=image_type)
        found = Picture(data, f"image/{image_type}")
        self.pictures.put(row.circle, key, found)
        return found


def _picture_row(visit: Visit, object_id: str) -> InstanceRow:
    row = visit.reading.object_row(object_id)
    if object_kind(row) is not EnvelopeKind.IMAGE:
        raise no_key("image")
    return row
