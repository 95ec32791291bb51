"""Windows of pictures whose headers say more or less about them."""

from __future__ import annotations

import pytest

from serment.entrypoints.web.practice.series import window_of

GREY = {"PhotometricInterpretation": "MONOCHROME2", "Rows": 4, "BitsStored": 12}


@pytest.mark.parametrize(
    ("more", "window"),
    [
        ({"WindowCenter": "40", "WindowWidth": "400"}, (40.0, 400.0)),
        ({"WindowCenter": ["40", "-600"], "WindowWidth": ["400", "1500"]}, (40.0, 400.0)),
        ({}, (2048.0, 4096.0)),
        ({"PixelRepresentation": 1}, (0.0, 4096.0)),
        ({"RescaleSlope": "2", "RescaleIntercept": "-1024"}, (3072.0, 8192.0)),
        ({"RescaleSlope": "-1"}, (-2048.0, 4096.0)),
        ({"WindowCenter": "40", "WindowWidth": "0"}, (2048.0, 4096.0)),
        ({"WindowCenter": "what", "WindowWidth": "nan"}, (2048.0, 4096.0)),
        ({"WindowCenter": "1e40", "WindowWidth": "10"}, (2048.0, 4096.0)),
        ({"BitsStored": 99}, (2.0**31, 2.0**32)),
        ({"PhotometricInterpretation": "MONOCHROME1"}, (2048.0, 4096.0)),
        ({"PhotometricInterpretation": "RGB"}, None),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, None),
        ({"Rows": 0}, None),
    ],
)
def test_every_grey_picture_has_a_window_and_colour_none(
    more: dict[str, object], window: tuple[float, float] | None
) -> None:
    assert window_of({**GREY, **more}) == window
