"""A fictional day in the journal, one entry of every kind that a day may bring."""

from __future__ import annotations

from datetime import timedelta

from demo_records import NOW, ref

from serment.app.watch.sentences import WITH_IMAGES
from serment.core.journal.entries import EventKind as E
from serment.entrypoints.web.views import JournalLine

LEFEVRE = ref("patient", 0)

DAY = (
    # minutes ago, kind, actor, subject, patient, values
    (3, E.READ, "a.perichon", "LEFÈVRE Hélène", LEFEVRE, {"count": 16, "what": "image"}),
    (4, E.SEARCHED, "a.perichon", "", None, {"count": 19}),
    (5, E.OPENED, "a.perichon", "", None, {"what": WITH_IMAGES}),
    (14, E.RECEPTION_CLOSED, "Scanner Nord", "", None, {"count": 16}),
    (15, E.RECEPTION_OPENED, "Scanner Nord", "", None, {}),
    (22, E.FILED, "m.laurent", "SAINT-CHÉRONNET Grégoire", ref("patient", 8), {}),
    (31, E.REFUSED, "INCONNU", "", None, {"count": 4, "reason": "no such device is declared"}),
    (44, E.LOGIN_FAILED, "", "a.perichon", None, {"count": 2}),
    (52, E.KEYS_MOVED, "a.perichon", "", None, {"count": 3}),
    (60, E.MEMBER_ADDED, "a.perichon", "l.bertin", None, {}),
    (75, E.KIT_DECLARED, "a.perichon", "", None, {}),
    (90, E.LOCKED, "m.laurent", "", None, {}),
    (120, E.RECEPTION_INTERRUPTED, "Échographe salle 2", "", None, {"count": 1}),
    (150, E.DEVICE_ADDED, "a.perichon", "Échographe salle 2", None, {}),
    (200, E.CIRCLE_MADE, "a.perichon", "care", None, {}),
    (240, E.SERVER_STARTED, "", "", None, {}),
)


def lines(names: bool) -> list[JournalLine]:
    """The day; without names, patients read as short ids."""
    found = [
        JournalLine(
            index=1283 - at,
            kind=kind,
            at=NOW - timedelta(minutes=minutes),
            actor=actor,
            subject=subject if names or not patient else f"patient {patient[:6]}",
            patient=patient if names else None,
            peer="192.168.1.20:50412" if kind is E.RECEPTION_CLOSED else "192.168.1.31:52110",
            tls=kind is not E.RECEPTION_CLOSED,
            values=values,
        )
        for at, (minutes, kind, actor, subject, patient, values) in enumerate(DAY)
    ]
    return [*found, JournalLine(12, None, None, "", "", None, "", None, {})]
