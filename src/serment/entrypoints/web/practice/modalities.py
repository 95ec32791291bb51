"""Which modalities there are in an open identity circle, for the filter of the worklist."""

from __future__ import annotations

from serment.entrypoints.web.practice.visit import Visit
from serment.ports import Matches

# What a practice's devices send (PS3.3 C.7.3.1.1.1), and DOC for documents.
KNOWN = (
    *("BI", "BMD", "CR", "CT", "DX", "ECG", "ES", "GM", "IO", "IVUS", "KO", "LS", "MG", "MR"),
    *("NM", "OCT", "OP", "OPT", "OT", "PR", "PT", "PX", "RF", "RG", "RTIMAGE", "RTSTRUCT", "SC"),
    *("SEG", "SM", "SR", "TG", "US", "XA", "XC", "DOC"),
)
EVERY_SECONDS = 60.0


class Modalities:
    """Remembered for a minute for each circle: asking each time would cost a search a modality."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, int, tuple[str, ...]]] = {}

    def of(self, visit: Visit) -> tuple[str, ...]:
        circle, now, version = (
            visit.session.identity,
            visit.house.clock.monotonic(),
            visit.version(),
        )
        if circle is None:
            return ()
        with visit.house.lock:
            kept = self._known.get(circle)
            if kept and (kept[1] == version or 0 <= now - kept[0] < EVERY_SECONDS):
                return kept[2]
            table = visit.identities()
            found = tuple(m for m in KNOWN if table.studies(Matches(modality=m, limit=1)))
            self._known[circle] = now, version, found
        return found
