"""Services of which nothing can be said: not understood, silent, or cut before all was asked.

They are no finding, and no good news either: each is among what was not checked, so that nobody takes
"nothing to report" for them. What a finding of before becomes there is `coverage`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from serment.core.exposure.findings import NotChecked
from serment.core.exposure.machines import place_order
from serment.core.exposure.seen import Answer, Service
from serment.core.exposure.words import place_said
from serment.errors import N_

NAMED: Final = 20  # services of one reason, one a line; more are counted in one
SPOKE = N_("spoke, was not understood")
SILENT = N_("said nothing")
CUT = N_("was cut before all was asked")
_COUNTED: Final = {
    SPOKE: N_("services that spoke and were not understood: {count}"),
    SILENT: N_("services that said nothing: {count}"),
    CUT: N_("services that were cut before all was asked: {count}"),
}


def why_unclear(service: Service) -> str:
    """Why nothing can be said of it, as a gettext message id; "" when it was understood. Behind TLS
    that asks every caller for a certificate nothing is left to ask."""
    if service.protocol == "silent":
        return SILENT
    shut = service.tls is not None and service.tls.client_certificate is Answer.YES
    if service.protocol == "unknown" or (service.protocol == "tls" and not shut):
        return SPOKE
    return CUT if service.cut else ""


def not_understood(services: Iterable[Service]) -> list[NotChecked]:
    """One line a service, by address and port; where there are more than `NAMED`, their number."""
    found: dict[str, list[Service]] = {reason: [] for reason in _COUNTED}
    for each in services:
        if reason := why_unclear(each):
            found[reason].append(each)
    lines: list[NotChecked] = []
    for reason, those in found.items():
        if len(those) > NAMED:
            lines.append(NotChecked("", "", _COUNTED[reason], {"count": len(those)}))
            continue
        places = sorted((each.place for each in those), key=lambda p: (place_order(p.host), p.port))
        lines.extend(NotChecked("", place_said(each), reason) for each in places)
    return lines
