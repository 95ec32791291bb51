"""What is said of a defect of ours: its type and place, never its message or what it held, which
could be a patient's value."""

from __future__ import annotations

import logging
import traceback
from pathlib import PurePath

from serment.errors import N_, SermentError

FAULTS = "serment.faults"  # the logger that `noted` writes to


def where(fault: BaseException) -> str:
    """The innermost place in our own code, as file and line."""
    frames = traceback.extract_tb(fault.__traceback__)
    ours = [frame for frame in frames if "serment" in PurePath(frame.filename).parts] or frames
    return f"{PurePath(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"


def unforeseen(fault: BaseException) -> SermentError:
    """The defect as an error of ours."""
    return SermentError(
        N_("a defect of Serment stopped it ({type} in {where})"),
        hint=N_("run `serment doctor`, then report these two words to the developers"),
        type=type(fault).__name__,
        where=where(fault),
    )


def noted(fault: BaseException, number: str) -> None:
    """Have the log say which fault was shown under that number."""
    fields = {"number": number, "type": type(fault).__name__, "where": where(fault)}
    logging.getLogger(FAULTS).error("fault", extra={"fields": fields})
