"""Services of which nothing can be said: not understood, silent, busy, cut before all was asked, or
missed by an audit that ended too early itself.

They are no finding, and no good news either: each is among what was not checked, so that nobody takes
"nothing to report" for them. What a finding of before becomes there is `coverage`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import fields
from typing import Final

from serment.core.exposure.findings import NotChecked, Place
from serment.core.exposure.machines import place_order
from serment.core.exposure.seen import NOT_NOW, Answer, Dicom, Facts, Files, Http, Missed, Service
from serment.core.exposure.words import place_said
from serment.errors import N_

NAMED: Final = 20  # services of one reason, one a line; more are counted in one
SPOKE = N_("spoke, was not understood")
SILENT = N_("said nothing")
CUT = N_("was too slow or too busy to be asked everything")
BUSY = N_("was busy, or gave no clear answer: ask it again later")
ENDED = N_("the process that talks to the network ended too early: not everything was asked")
UNHEARD = N_("what was told of it was not understood")
DROPPED = N_("lines of the process that talks to the network that were not understood: {count}")
_TOO_MANY: Final = 429  # RFC 6585
_SERVER_FAILED: Final = 500  # and above: RFC 9110 section 15.6
_COUNTED: Final = {
    SPOKE: N_("services that spoke and were not understood: {count}"),
    SILENT: N_("services that said nothing: {count}"),
    BUSY: N_("services that were busy or gave no clear answer: {count}"),
    CUT: N_("services too slow or too busy to be asked everything: {count}"),
    ENDED: N_("services and machines that were not asked any more: {count}"),
    UNHEARD: N_("services and machines of which what was told was not understood: {count}"),
}


def why_unclear(service: Service) -> str:
    """Why nothing can be said of it, as a gettext message id; "" when it was understood. Behind TLS
    that asks every caller for a certificate nothing is left to ask."""
    if service.protocol == "silent":
        return SILENT
    shut = service.tls is not None and service.tls.client_certificate is Answer.YES
    if service.protocol == "unknown" or (service.protocol == "tls" and not shut):
        return SPOKE
    if _put_us_off(service.facts):
        return BUSY
    return CUT if service.cut else ""


def puts_off(status: int) -> bool:
    """Whether a web server's answer is none for now (RFC 9110 section 15.6, RFC 6585 section 4)."""
    return status == _TOO_MANY or status >= _SERVER_FAILED


def _put_us_off(facts: Facts) -> bool:
    """Whether something that was asked got no answer that settles it. An export that was not mounted
    from here is stated as one (X15)."""
    match facts:
        case None:
            return False
        case Http(status=status) if puts_off(status):
            return True
        case Dicom(refusal=refusal) if refusal == NOT_NOW:
            return True
        case Files(shares=shares) if shares:
            return False
    return any(getattr(facts, each.name) is Answer.NOTHING for each in fields(facts))


def not_understood(services: Iterable[Service], told: Collection[Place] = ()) -> list[NotChecked]:
    """One line a service, by address and port; where there are more than `NAMED`, their number. Of those
    `told` by a check why they could not be judged it is not said again that they were busy."""
    found: dict[str, list[Place]] = {}
    for each in services:
        reason = why_unclear(each)
        if reason and not (reason == BUSY and each.place in told):
            found.setdefault(reason, []).append(each.place)
    return [line for reason in _COUNTED for line in _lines(reason, found.get(reason, ()))]


def not_asked(missed: Missed | None) -> list[NotChecked]:
    """What an audit missed, in the same way; a machine alone where only what is asked over UDP is."""
    if missed is None:
        return []
    busy = {each.host for each in missed.places if each.port}
    places = [each for each in missed.places if each.port or each.host not in busy]
    lines = [NotChecked("", "", ENDED)] if missed.ended else []
    if missed.dropped:
        lines.append(NotChecked("", "", DROPPED, {"count": missed.dropped}))
    return [*lines, *_lines(ENDED if missed.ended else UNHEARD, places)]


def _lines(reason: str, places: Collection[Place]) -> list[NotChecked]:
    if len(places) > NAMED:
        return [NotChecked("", "", _COUNTED[reason], {"count": len(places)})]
    ordered = sorted(places, key=lambda each: (place_order(each.host), each.port))
    return [NotChecked("", place_said(each), reason) for each in ordered]
