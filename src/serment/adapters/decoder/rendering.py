"""What the child does with a request; imported only there, once the network is gone."""

from __future__ import annotations

from typing import Any

from serment.core.dicom.fictional import FictionalPatient, FictionalStudy, Place, ultrasound
from serment.core.dicom.pixels import render_frame


def render(part10: bytes, header: dict[str, Any]) -> bytes:
    """Render the frame that a request asks for."""
    window = header.get("window")
    return render_frame(
        part10,
        header["frame"],
        header["size"],
        (float(window[0]), float(window[1])) if window else None,
        header["type"],
    )


def warm_up() -> None:
    """Render pictures of nobody, so that everything is imported before files are out of reach."""
    nobody = FictionalPatient("NOBODY", "19000101", "O", "0", "0", "", "")
    study = FictionalStudy(nobody, "19000101", "000000", "0", "", "")
    picture = ultrasound(study, Place(1, 1))
    for image_type in ("png", "jpeg"):
        render_frame(picture, 1, 16, None, image_type)
