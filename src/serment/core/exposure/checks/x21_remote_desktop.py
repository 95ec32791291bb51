"""X21: a remote desktop or terminal with a weak door: no password, no NLA, no encryption."""

from __future__ import annotations

from serment.core.exposure.checking import CONFIDENTIALITY, Check, Statement, Verdict, over
from serment.core.exposure.findings import Severity
from serment.core.exposure.seen import Answer, Remote, Service
from serment.errors import N_


def judge(service: Service, door: Remote) -> Verdict:
    if door.without_password is Answer.YES:
        return Statement(
            service.place,
            Severity.CRITICAL,
            N_("{protocol} let us in without a password"),
            {"protocol": service.protocol.upper()},
        )
    if service.protocol == "rdp" and door.network_level is Answer.REFUSED:
        return Statement(
            service.place,
            Severity.HIGH,
            N_("RDP accepted a session without Network Level Authentication"),
        )
    if service.protocol == "telnet":
        return Statement(
            service.place, Severity.HIGH, N_("Telnet: everything typed crosses in clear")
        )
    if door.clear:
        return Statement(
            service.place,
            Severity.LOW,
            N_("{protocol} asks for a password, but does not encrypt the session"),
            {"protocol": service.protocol.upper()},
        )
    return None


CHECK = Check(
    id="X21",
    name="remote-desktop-weak",
    title=N_("A remote access that is badly locked"),
    remedy=N_("Remove this remote access or use a VPN with two factors."),
    articles=CONFIDENTIALITY,
    commandment=3,
    look=over(Remote, judge),
)
