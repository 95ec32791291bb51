"""Frame numbers in a path: a list of some, or a refusal that the caller can read."""

from __future__ import annotations

import pytest

from serment.entrypoints.dicomweb.frames import FRAMES_AT_ONCE, frame_list
from serment.errors import UsageError


def test_frames_are_taken_in_the_order_asked_for() -> None:
    assert frame_list("3,1,0002,999999999") == [3, 1, 2, 999_999_999]
    assert len(frame_list(",".join(["1"] * FRAMES_AT_ONCE))) == FRAMES_AT_ONCE


@pytest.mark.parametrize(
    "text",
    [
        *("", "0", "-1", "1,", "1;2", "1.0", "un", "1 ", "²", "١", "00", "9" * 10),
        *("9" * 5000, "0" * 5000 + "1"),
        pytest.param(",".join(["1"] * (FRAMES_AT_ONCE + 1)), id="too many"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        frame_list(text)
